import type { Focus } from '../draw/focus.ts';
import type { Edit } from './mutate.ts';

export interface Mutant {
  /** The protective line that is switched off, as a sentence. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Only seeds about this are run: others come too seldom to where the line matters. */
  readonly focus?: Focus;
}

const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });

const TABLE = 'test/simulation/models/epoch-table.ts';
const STORE = 'lib/epoch/decision/decide-manifest.ts';
const ATTEMPT = 'lib/epoch/attempt/attempt.ts';
const ON_EVENT = 'lib/epoch/loop/on-event.ts';
const TURN = 'lib/epoch/loop/turn.ts';
const PERFORM = 'lib/epoch/coordinator/perform.ts';
const START = 'lib/epoch/start/start.ts';
const COLLECT = 'lib/epoch/garbage/collect.ts';
const LISTINGS = 'lib/epoch/garbage/listings.ts';
const COMMIT_EPOCH = 'lib/epoch/commit/commit-epoch.ts';
const RESOLVE = 'lib/sinks/kafka/resolve.ts';
const COMMIT = 'lib/sinks/kafka/commit.ts';
const LOOK = 'lib/sinks/kafka/look.ts';
const CHECK = 'lib/sinks/kafka/check-prepared.ts';
const COORDINATION = 'lib/sinks/kafka/coordination.ts';
const RUN_SINKS = 'lib/epoch/commit/run-sinks.ts';
const ASK = 'lib/epoch/attempt/ask-stages.ts';
const NEWEST = 'lib/epoch/commit/newest-committables.ts';
const PREPARE = 'lib/sinks/kafka/prepare.ts';
const SEND = 'lib/sinks/kafka/send-staged.ts';
const OPERATOR = 'lib/stages/operator.ts';
const SERVE = 'lib/stages/serve.ts';
const COLUMNS = 'lib/state/columns/value.ts';
const LIST = 'lib/state/columns/list.ts';
const MAP = 'lib/state/columns/map.ts';
const LOANS = 'lib/state/columns/loans.ts';
const LIFETIME = 'lib/state/columns/lifetime.ts';
const SNAPSHOTS = 'lib/epoch/attempt/snapshots.ts';
const SCALE = 'lib/epoch/scale/scale.ts';
const WAVEFRONT = 'lib/epoch/attempt/wavefront.ts';
const DEAD_LETTERS = 'lib/sinks/kafka/dead-letters.ts';
const SOURCE_RUNTIME = 'lib/operators/source-runtime.ts';
const READER = 'lib/format/record-set-reader.ts';
const FINISH = 'lib/epoch/coordinator/finish.ts';
const CANCEL = 'cli/commands/cancel.ts';
const LIVE = 'lib/epoch/garbage/live.ts';
const WATERMARKS = 'lib/time/watermarks.ts';
const TIMERS = 'lib/state/columns/timers.ts';
const SLICES = 'lib/operators/kinds/window/slices.ts';
const EACH_WINDOW = 'lib/operators/kinds/window/each-window.ts';
const SESSIONS = 'lib/operators/kinds/window/sessions.ts';
const UPLOAD = 'lib/sinks/files/upload.ts';
const COMMIT_FILES = 'lib/sinks/files/commit.ts';
const RESOLVE_FILES = 'lib/sinks/files/resolve.ts';
const SETTLE_FILES = 'lib/sinks/files/coordination.ts';
const FILE_NAMES = 'lib/sinks/files/paths.ts';
const FIRING = 'lib/operators/firing.ts';
const STATE_SET = 'lib/state/state-set.ts';
const RESIDENT_KEYS = 'lib/state/resident-keys.ts';
const SPILLED_PAGES = 'lib/state/spilled-pages.ts';
const UNREAD = 'lib/stages/unread-state.ts';
const DELIVER = 'lib/sinks/deliver/server.ts';
const WINDOW_TIME = 'lib/operators/kinds/window/window-time.ts';
const INTERVAL_JOIN = 'lib/api/joins/interval-join.ts';
const MOVED = 'lib/epoch/start/source-offsets.ts';
const NEW_NAMES = 'lib/epoch/start/new-names.ts';
const CHECK_STATE = 'lib/epoch/start/check-state.ts';
const MAP_FORMAT = 'lib/state/columns/map-format.ts';

/** Three collections of one coordinator without a fault between them come too seldom otherwise: by itself it breaks nothing. */
const OFTEN = edit('lib/epoch/loop/chores.ts', 'const COLLECT_INTERVAL_MS = 10_000;', 'const COLLECT_INTERVAL_MS = 1_500;');

/** Before each deletion, behind the savepoints. */
const LAST_LOOK = 'ownRow(settings, tenure, await deps.epochs.readJob(job));\n    const unnamed';
const UNNAMED = 'const unnamed';

/** Conditions of the table are mutated in its model; the contract tests hold the real table to them. */
export const mutants: readonly Mutant[] = [
  {
    name: 'a decision is conditional on the generation',
    edits: [
      edit(
        TABLE,
        "row === undefined || row.generation !== generation || row.incarnation !== incarnation) return 'refused'",
        "row === undefined || row.incarnation !== incarnation) return 'refused'",
      ),
    ],
  },
  {
    name: "a decision is conditional on its parent's decision id, and on its epoch having no row",
    edits: [
      edit(TABLE, "if (row.lastCompleted?.decisionId !== parentDecisionId) return 'refused';", ''),
      edit(TABLE, "if (epochs[place]?.epoch === epoch) return 'refused';", ''),
      edit(
        TABLE,
        "row === undefined || row.generation !== generation || row.incarnation !== incarnation) return 'refused'",
        "row === undefined || row.incarnation !== incarnation) return 'refused'",
      ),
    ],
  },
  {
    name: 'an offset is one of the topic with the id that was read',
    edits: [
      edit('lib/epoch/planning/plan.ts', 'const isAnother = ids !== undefined && wanted > 0;', 'const isAnother = false as boolean;'),
    ],
  },
  {
    name: 'what was read counts only while its topic is there still',
    edits: [edit(ASK, 'firstProblem(answers) ?? (await topicProblem(deps, stage, attempt))', 'firstProblem(answers)')],
    focus: 'sources-anew',
  },
  {
    name: 'an ambiguous decision is repeated byte for byte',
    edits: [
      edit(
        STORE,
        'deps.epochs.decide(decision)',
        'deps.epochs.decide({ ...decision, leaseExpiresAtMs: deps.clock.now() + settings.leaseMs })',
      ),
    ],
  },
  {
    name: 'an ambiguous decision is not taken for made',
    edits: [edit(STORE, "if (answer === 'decided') return asDecided", "if (answer !== 'refused') return asDecided")],
  },
  {
    name: 'a refused decision is looked up in the job row before it counts as lost',
    edits: [edit('lib/epoch/decision/after-refusal.ts', "if (row?.lastCompleted?.decisionId === decisionId) return 'decided';", '')],
  },
  {
    name: 'a refused decision of another generation ends the coordinator',
    edits: [
      edit(
        'lib/epoch/decision/after-refusal.ts',
        "return isOwn(tenure, row) ? 'ambiguous' : 'superseded';",
        "return isOwn(tenure, row) ? 'ambiguous' : 'decided';",
      ),
    ],
  },
  {
    name: 'preparing begins with a fresh InitProducerId',
    edits: [
      edit(
        PREPARE,
        'export async function prepareTransaction(',
        'const known = new WeakMap<object, Map<string, { answer: string; producerId: string; producerEpoch: number }>>();\nexport async function prepareTransaction(',
      ),
      edit(
        PREPARE,
        'const begun = await retried(asking, () => asking.kafka.initProducerId(id, transactionTimeoutMs));',
        'const ids = known.get(asking.kafka) ?? new Map(); known.set(asking.kafka, ids); const begun = ids.get(id) ?? (await retried(asking, () => asking.kafka.initProducerId(id, transactionTimeoutMs))); if (begun.answer === "NONE") ids.set(id, begun);',
      ),
    ],
  },
  {
    name: 'committed means seen in the log: what EndTxn was answered is no proof',
    edits: [
      edit(
        COMMIT,
        "const open = (await look({ ...committable, written })).filter(({ fate }) => fate !== 'committed');",
        'const open: Look[] = [];',
      ),
    ],
  },
  {
    name: 'a look without records has no list of aborted transactions',
    edits: [
      edit(LOOK, "if (fate !== 'look-closer' || fetched.records.length === 0) return fate;", "if (fate !== 'look-closer') return fate;"),
    ],
  },
  {
    name: 'an aborted transaction in the list is ours only if it begins where ours does or before',
    edits: [edit(LOOK, 'one.producerId === producerId && one.firstOffset <= range.first', 'one.producerId === producerId')],
  },
  {
    name: 'the list of aborted transactions is looked at',
    edits: [edit(LOOK, "return isAborted ? 'aborted' : 'committed';", "return 'committed';")],
  },
  {
    name: 'a control record says how a transaction ended, and abort is not commit',
    edits: [edit(LOOK, "fate: end === 'commit' ? 'committed' : 'aborted'", "fate: 'committed'")],
  },
  {
    name: 'what nobody could be asked about is not taken for committed',
    edits: [edit(RESOLVE, 'if (unknown.length > 0 && !isGivenUp) return left;', '')],
  },
  {
    name: 'what a person gives up of a topic that is gone is of no other, of which nobody can tell',
    edits: [edit(RESOLVE, 'const [lost] = withoutTopic.length === unknown.length ? withoutTopic : [];', 'const [lost] = withoutTopic;')],
    focus: 'topics-away',
  },
  {
    name: 'what one topic is answered says nothing of the others',
    edits: [edit(LOOK, 'if (topics.length > 1) {', 'if (topics.length > 99) {')],
    focus: 'topics-away',
  },
  {
    name: 'what is undecided is aborted, and not taken for committed',
    edits: [edit(RESOLVE, 'if (undecided.length > 0) return abortUndecided(asking, committable, who, undecided);', '')],
  },
  {
    name: 'only what was aborted is sent again',
    edits: [edit(RESOLVE, '(await request.staged()).filter(isAborted)', 'await request.staged()')],
  },
  {
    name: 'what is prepared is checked before it is decided',
    edits: [
      edit(
        ASK,
        'firstProblem(checked) ?? (await problemOf(deps, connector, prepared, settings.commitTimeoutMs));',
        'firstProblem(checked);',
      ),
    ],
  },
  {
    name: 'records that joined older open ones are found, though their own transaction is open',
    edits: [edit(CHECK, 'if (found.openSince !== range.first)', 'if (found.openSince < 0)')],
  },
  {
    name: 'what was sent again is checked before it is recorded',
    edits: [
      edit(
        COMMIT_EPOCH,
        'const problem = await problemOf(deps, connector, sentAgain, settings.commitTimeoutMs);',
        'const problem = undefined as { message: string } | undefined;',
      ),
      edit(RESOLVE, 'if (undecided.length > 0) return abortUndecided(asking, committable, who, undecided);', ''),
      edit(RESOLVE, "...rangesThatAre('aborted'), ...", "...rangesThatAre('aborted', 'undecided'), ..."),
    ],
  },
  {
    name: 'what was sent again is recorded before it is committed',
    edits: [
      edit(NEWEST, 'await writeHeld(held, what, (generation) => deps.epochs.recordSentAgain(settings.job, generation, next, seen));', ''),
    ],
  },
  {
    name: 'what was sent again is recorded only by the holder of the generation',
    edits: [edit(TABLE, 'const row = this.#held(held); // sent again', 'const row = this.#jobs.get(held.job);')],
  },
  {
    name: 'a record of what was sent again replaces only the one that was seen',
    edits: [
      edit(TABLE, 'if (!isLast || known !== seen) throw', 'if (!isLast) throw'),
      edit(TABLE, "if (row.sentAgain?.id === sentAgain.id) return 'written';", ''),
    ],
    focus: 'records',
  },
  {
    name: 'a start judges a decided epoch by what was sent again of it',
    edits: [edit(START, 'recorded: row.sentAgain, isOld: true', 'recorded: undefined, isOld: true')],
    focus: 'doubt',
  },
  {
    name: 'what a dropped attempt left open of a subtask without output is ended by the next attempt',
    edits: [
      edit(
        TURN,
        'if (sinkStartedMs !== undefined) change(turn, { endsLeftovers: widest(turn.state.endsLeftovers ?? parallelism, parallelism) });',
        '',
      ),
    ],
  },
  {
    name: 'what a broker forgot to end is ended when the pool is settled',
    edits: [edit('lib/sinks/kafka/settle.ts', 'owners.filter((owner) => owner.open.length > 0)', 'owners.filter(() => false)')],
  },
  {
    name: 'what else is open under the ids of an attempt is aborted with it',
    edits: [edit(COORDINATION, 'check.leftOpen.map(', 'check.leftOpen.slice(0, 0).map('), edit(CHECK, '...leftIn(committable, own)', '')],
  },
  {
    name: 'commit and resolve take the id from the committable, and never compute it again',
    edits: [
      edit(
        COMMIT,
        'asking.kafka.endTxn(committable, true)',
        'asking.kafka.endTxn({ ...committable, transactionalId: committable.transactionalId.replace(/[01]$/, String(committable.epoch % 2)) }, true)',
      ),
      edit(
        RESOLVE,
        'const { transactionalId, marker } = committable;',
        'const { marker } = committable; const transactionalId = committable.transactionalId.replace(/[01]$/, String(committable.epoch % 2));',
      ),
    ],
  },
  {
    name: 'every acknowledgement is awaited before an epoch counts as prepared',
    edits: [
      edit(
        SEND,
        "const failed = answers.find(({ answer }) => answer !== 'NONE');",
        "const failed = answers.find(({ refused }) => refused === 'never');",
      ),
      edit(
        SEND,
        "if (answer !== 'NONE') return answer;\n",
        "if (answer !== 'NONE' && baseOffsets.some((offset) => offset >= 0)) return answer;\n",
      ),
      edit(SEND, "if (offset < 0) return 'UNKNOWN_SERVER_ERROR';", 'if (offset < 0) continue;'),
    ],
  },
  {
    name: 'the sink stage is serial, and commits are in epoch order',
    edits: [
      edit(WAVEFRONT, "return stage.kind === 'sink' ? previous === undefined : previous === undefined", 'return previous === undefined'),
      edit(
        WAVEFRONT,
        'if (prepared && previous === undefined) steps',
        "if (prepared && (previous === undefined || previous.phase === 'decided' || previous.phase === 'committing')) steps",
      ),
      edit(WAVEFRONT, "if (phase === 'decided' && previous === undefined) steps", "if (phase === 'decided') steps"),
    ],
  },
  {
    name: 'decisions are in epoch order',
    edits: [
      edit(WAVEFRONT, "return stage.kind === 'sink' ? previous === undefined : previous === undefined", 'return previous === undefined'),
      edit(WAVEFRONT, 'if (prepared && previous === undefined) steps', 'if (prepared) steps'),
    ],
  },
  {
    name: 'a stage runs an epoch after it has finished the one before',
    edits: [
      edit(
        WAVEFRONT,
        "previous === undefined || previous.stages.get(stage.id) === 'done'",
        "previous === undefined || stage.kind === 'operator' || previous.stages.get(stage.id) === 'done'",
      ),
    ],
  },
  {
    name: 'a plan waits for the barrier of the epoch before',
    edits: [edit(WAVEFRONT, 'if (facts.mayPlan && sourcesRead &&', 'if (facts.mayPlan && (sourcesRead || true) &&')],
  },
  {
    name: 'a plan that was made for a dropped epoch is dropped',
    edits: [edit(ON_EVENT, 'if (base !== newestDecision(turn.state) || isEnding', 'if (isEnding')],
  },
  {
    name: 'what builds on a failed attempt is dropped with it',
    edits: [
      edit(
        TURN,
        'const dropped = inFlight.slice(at); change(turn, { inFlight: inFlight.slice(0, at) });',
        'const dropped = inFlight.slice(at, at + 1); change(turn, { inFlight: inFlight.toSpliced(at, 1) });',
      ),
    ],
  },
  {
    name: 'results of a dropped attempt are not taken',
    edits: [edit(ON_EVENT, '.find(({ decisionId }) => decisionId === of.decisionId)', '.find(({ epoch }) => epoch === of.epoch)')],
  },
  {
    name: 'recovery commits what is decided before it goes on',
    edits: [
      edit(
        START,
        'if (last !== undefined && row.lastCommitted < last.epoch) {',
        'if (last !== undefined && row.lastCommitted < last.epoch && last.epoch < 0) {',
      ),
    ],
  },
  {
    name: 'every transactional id is settled at start',
    edits: [edit(START, 'const settledIds = await settlePool(held);', 'const settledIds = 0;')],
  },
  {
    name: 'every transactional id is settled at stop',
    edits: [
      edit(PERFORM, 'else await recordCommitted(held, record); await settlePool(held);', 'else await recordCommitted(held, record);'),
    ],
  },
  {
    name: 'the pool of ids is widened, never narrowed, before an id is used',
    edits: [edit(RUN_SINKS, '}, recorded);', '}, {} as Pool);')],
  },
  {
    name: 'the pool is recorded before an id of it is used',
    edits: [edit(TABLE, '({ pool: widened(row.pool, pool) })', '({ pool: row.pool })')],
  },
  {
    name: 'warm state is used only under the id of the snapshot that it equals',
    edits: [edit(OPERATOR, 'if (same) return { runtime, unread };', 'if (same || runtime !== undefined) return { runtime, unread };')],
  },
  {
    name: 'warm state loses its id before it is changed',
    edits: [edit(OPERATOR, 'warm.runtime = undefined;', '')],
  },
  {
    name: 'a narrower or wider subtask writes its own snapshot',
    edits: [
      edit(
        OPERATOR,
        'if (!rescaled && !state.changed()) return previous;',
        'if (previous !== undefined && !state.changed()) return previous;',
      ),
    ],
  },
  {
    name: 'an object that a state gave out is saved if it was changed in place',
    edits: [edit(COLUMNS, 'if (encoded === before) continue;', 'if (before !== undefined) continue;')],
  },
  {
    name: 'an object of a list or a map is saved if it was changed in place',
    edits: [edit(LOANS, 'put(number, entry, encode(this.#name, this.#serde, value));', '')],
  },
  {
    name: 'an object of an entry that was deleted does not bring it back',
    edits: [edit(MAP, 'this.#loans.forget(number, entry);', '')],
  },
  {
    name: 'a delta says which entries of a map are gone',
    edits: [edit(MAP, 'this.#change(number, entry); this.#loans.forget(number, entry);', 'this.#loans.forget(number, entry);')],
  },
  {
    name: 'a delta says which entries of a map have changed',
    edits: [edit(MAP, 'if (change !== undefined) change.add(entry);', 'if (change !== undefined) return;')],
  },
  {
    name: 'a map that was cleared keeps nothing of what was there',
    edits: [edit(MAP, 'this.#changeAll(number); this.#loans.forget(number);', 'this.#loans.forget(number);')],
  },
  {
    name: "a map's entries are met in the order of the bytes of their keys",
    edits: [
      edit('lib/state/columns/sorted-entries.ts', 'if ((chunk[middle * 2] as string) < key)', 'if ((chunk[middle * 2] as string) > key)'),
    ],
  },
  {
    name: 'a delta says which entries of a list have changed',
    edits: [edit(LIST, 'if (index < kept) replaced.add(index);', '')],
  },
  {
    name: 'a list that was cleared keeps nothing of what was there',
    edits: [edit(LIST, 'change.kept = 0;', '')],
  },
  {
    name: 'a state that was cleared is gone, and with its last one the key',
    edits: [
      edit(
        COLUMNS,
        'if (this.#values[number] === undefined) return; if (this.#keys.marks[number] !== CHANGED)',
        'if (number >= 0) return; if (this.#keys.marks[number] !== CHANGED)',
      ),
    ],
  },
  {
    name: 'no branch sees what another function did to its value',
    edits: [
      edit(
        'lib/operators/chain.ts',
        "return (value) => next(typeof value === 'object' ? copyOf(value) : value);",
        'return (value) => next(value);',
      ),
    ],
  },
  {
    name: 'an operator works on what the upstream subtasks sent in the order of these',
    edits: [
      edit('lib/epoch/attempt/stage-asks.ts', 'writtenBy(attempt, from).flatMap(', '[...writtenBy(attempt, from)].reverse().flatMap('),
    ],
  },
  {
    name: 'output without a key of its own goes where the key of its stream says',
    edits: [
      edit(
        'lib/sinks/kafka/topic-encoder.ts',
        'if (current.keySerde !== undefined) return toPositive(current.keyHash) % this.#partitions;',
        '',
      ),
    ],
  },
  {
    name: 'what may be open is looked for in each topic of a sink',
    edits: [edit(COORDINATION, 'placesOf: (target) => topicsOf({ target }),', 'placesOf: (target) => topicsOf({ target }).slice(0, 1),')],
    focus: 'routing',
  },
  {
    name: 'each topic of a sink begins an epoch with nothing in it',
    edits: [edit('lib/sinks/kafka/sink-encoder.ts', 'this.#open.clear();', '')],
    focus: 'routing',
  },
  {
    name: 'a blob is acknowledged before a manifest names it',
    edits: [edit('lib/storage/blobs.ts', 'await store.put(name, ...sealed);', 'store.put(name, ...sealed).catch(() => {});')],
  },
  {
    name: 'the writes of a stage are awaited together, so that none is rejected unheard',
    edits: [edit('lib/stages/common.ts', 'await Promise.all(underWay)', 'await Array.fromAsync(underWay)')],
  },
  {
    name: 'names of blobs are unique to one invocation',
    edits: [
      edit('lib/storage/blobs.ts', 'const name = blobName(place, folder, random.id());', "const name = blobName(place, folder, '00');"),
    ],
  },
  {
    name: 'records of aborted transactions are left out',
    edits: [
      edit(
        READER,
        'else if (this.#abortedProducers.has(producerId)) {',
        'else if (this.#abortedProducers.has(producerId) && producerId < 0n) {',
      ),
    ],
  },
  {
    name: 'aborted transactions are sorted by their first offset',
    edits: [edit(READER, 'this.#aborted = byFirstOffset(options.aborted);', 'this.#aborted = [...options.aborted];')],
  },
  {
    name: "an abort marker ends the aborted transaction, and no more of its producer's",
    edits: [edit(READER, 'if (this.#isAbortMarker()) this.#abortedProducers.delete(producerId);', '')],
  },
  {
    name: 'the barrier of a source is where it stopped reading, not where it was to stop',
    edits: [edit('lib/stages/source.ts', 'next: positions[index] ?? 0', 'next: request.ranges[index]?.bound ?? 0')],
  },
  {
    name: 'functions of another build refuse',
    edits: [edit(SERVE, "if (request.build !== build && !isNeverStale(request.ask)) return { outcome: 'stale', build };", '')],
  },
  {
    name: 'commit and resolve are never refused for their build',
    edits: [edit(SERVE, "const NEVER_STALE = ['commit', 'send', 'resolve', 'abort'];", 'const NEVER_STALE: string[] = [];')],
  },
  {
    name: 'staged output is kept until its epoch is COMMITTED',
    edits: [
      edit(
        'lib/epoch/garbage/retain.ts',
        'return epoch <= (isPassing(name) ? facts.lastCommitted : facts.lastCompleted);',
        'return epoch <= facts.lastCompleted;',
      ),
      edit(
        'lib/epoch/garbage/retain.ts',
        'manifest.epoch > lastCommitted ? Object.values(manifest.outputs).flat(2) : []',
        '[] as BlobRef[]',
      ),
    ],
  },
  {
    name: 'blobs of epochs that are not decided are not collected',
    edits: [
      edit(
        'lib/epoch/garbage/retain.ts',
        'return epoch <= (isPassing(name) ? facts.lastCommitted : facts.lastCompleted);',
        'return epoch <= (isPassing(name) ? facts.lastCommitted : Number.POSITIVE_INFINITY);',
      ),
    ],
  },
  {
    name: 'a snapshot is deleted only after its manifest was marked RETIRED by the holder',
    edits: [
      edit(
        COLLECT,
        'fenced(settings, await deps.epochs.retireThrough(job, tenure.generation, last));',
        'await deps.epochs.retireThrough(job, tenure.generation, last);',
      ),
      // Who has lost the job since is found here too.
      edit(COLLECT, LAST_LOOK, UNNAMED),
    ],
  },
  {
    name: 'the newest manifest is never retired',
    edits: [
      edit('lib/epoch/garbage/retain.ts', 'lastCommitted - retained - retiredThrough', 'lastCommitted - retained - retiredThrough + 1'),
      edit(TABLE, 'row.lastCommitted < epoch || (row.lastCompleted?.epoch ?? -1) <= epoch', 'row.lastCommitted < epoch'),
    ],
  },
  {
    name: 'an epoch is committed in the way in which it was decided',
    edits: [
      edit(COMMIT_EPOCH, 'connector: connectorNamed(held.deps, connector),', "connector: held.deps.sinks.forTarget({ kind: 'kafka' }),"),
    ],
  },
  {
    name: 'what is sent after the decision is named in it, of every subtask',
    edits: [
      edit('lib/epoch/attempt/stage-asks.ts', 'staged.length === 0 ? [] : [{ sink', 'staged.length === 0 || subtask > 0 ? [] : [{ sink'),
    ],
  },
  {
    name: 'at least once, output without an acknowledgement is sent again',
    edits: [edit('lib/epoch/commit/deliver-epoch.ts', "if (answer.outcome === 'sent') return;", "if (answer.outcome !== 'never') return;")],
  },
  {
    name: 'at least once, a request waits for the one before it',
    edits: [edit(SEND, 'who === undefined ? 1 : PRODUCE_IN_FLIGHT', 'PRODUCE_IN_FLIGHT')],
  },
  {
    name: 'at least once, all batches of a partition go to one leader',
    edits: [edit(SEND, 'leaders.get(key) ?? (await leaderOf(', '(await leaderOf(')],
    focus: 'elections',
  },
  {
    name: 'at least once, only what was acknowledged counts as sent',
    edits: [
      edit(
        SEND,
        "if (answer !== 'NONE') return answer;\n",
        "if (answer !== 'NONE') { for (const { topic, partition } of request) acknowledged.set(`${topic} ${partition}`, (acknowledged.get(`${topic} ${partition}`) ?? 0) + 1); return answer; }\n",
      ),
    ],
  },
  {
    name: 'ids of transactions are settled also by a coordinator that makes none',
    edits: [
      edit(
        RUN_SINKS,
        '}, recorded);',
        "}, connectedSinks(deps, settings).some(({ connector }) => connector.how === 'delivered') ? {} : recorded);",
      ),
    ],
  },
  {
    name: 'a commit without an answer is asked for again',
    edits: [edit(COMMIT_EPOCH, '>= deadlineMs) return committables.map((of) => ({ of }));', '>= deadlineMs) return [];')],
  },
  {
    name: 'only what a record did makes epochs smaller and leaves it out',
    edits: [
      edit(
        'lib/epoch/failure/after-failure.ts',
        "const isOfRecord = failed.kind === 'user-code' || failed.kind === 'record';",
        "const isOfRecord = failed.kind !== 'stale';",
      ),
    ],
  },
  {
    name: 'a record is poison only when it failed alone',
    edits: [
      edit('lib/epoch/failure/isolate.ts', 'if (size === 1) return', 'if (size >= 1) return'),
      edit('lib/epoch/failure/isolate.ts', 'Math.max(Math.floor(left / 2), 1)', 'left'),
    ],
  },
  {
    name: 'a record that is left out goes to the dead letters',
    edits: [edit(SOURCE_RUNTIME, 'letters?.append(condemned, reader, condemned.reason);', '')],
  },
  {
    name: 'a record that is left out is not processed too',
    edits: [
      edit(
        SOURCE_RUNTIME,
        'letters?.append(condemned, reader, condemned.reason); continue;',
        'letters?.append(condemned, reader, condemned.reason);',
      ),
    ],
  },
  {
    name: 'a record that cannot be read goes to the dead letters',
    edits: [edit(SOURCE_RUNTIME, 'letters.append(place, reader, unreadable(error));', '')],
  },
  {
    name: 'dead letters are staged with the epoch that leaves the records out',
    edits: [edit(DEAD_LETTERS, '[sections.length === 0 ? undefined : encodeStagedOutput(sections)]', '[undefined]')],
  },
  {
    name: 'dead letters that are decided are committed by a run that has no sink for them',
    edits: [
      edit(
        COMMIT_EPOCH,
        'committablesBySink(manifest.committables).map(',
        'committablesBySink(manifest.committables.filter(({ sink }) => held.settings.plan.stages.some(({ id }) => id === sink))).map(',
      ),
    ],
  },
  {
    name: 'starting offsets are resolved once',
    edits: [
      edit(
        START,
        'sourceStages(settings).filter(({ id, topic }) => ofName(ofName(named?.offsets, id), topic) === undefined);',
        'sourceStages(settings);',
      ),
    ],
  },
  {
    name: 'a source that is added leaves the offsets of the others as they are',
    edits: [edit(START, 'let offsets: SourceOffsets = named?.offsets ?? {};', 'let offsets: SourceOffsets = {};')],
  },
  {
    name: 'a source that is added leaves the state as it is',
    edits: [edit(START, 'state: named?.state ?? {}', 'state: {}')],
  },
  {
    name: 'a write is also of the incarnation in which its generation was taken',
    focus: 'commands',
    edits: [
      edit(
        TABLE,
        'row?.generation === generation && (incarnation === undefined || row.incarnation === incarnation) ? row : undefined',
        'row?.generation === generation && (incarnation === undefined || row.incarnation !== "") ? row : undefined',
      ),
    ],
  },
  {
    name: 'whoever brings a job to rest commits what is decided',
    focus: 'commands',
    edits: [
      edit(
        FINISH,
        'const isOver = completed === undefined || completed.epoch <= row.lastCommitted;',
        'const isOver = completed === undefined || completed.epoch >= 0;',
      ),
    ],
  },
  {
    name: 'a job that is deleted forgets its epochs before its blobs go',
    focus: 'commands',
    edits: [
      edit(CANCEL, "if ((await removal.forgetEpochs(held, fresh.incarnation)) === 'superseded') return leave(tools, held);", ''),
      edit(CANCEL, "if ((await tools.epochs.readJob(tools.job))?.incarnation !== ownIncarnation) return 'superseded';", ''),
      edit(
        CANCEL,
        'const epochs = await removal.deleteEpochs(job, fresh.incarnation);',
        'await removal.forgetEpochs(held, fresh.incarnation); const epochs = await removal.deleteEpochs(job, fresh.incarnation);',
      ),
    ],
  },
  {
    name: 'blobs of other incarnations are deleted only while the job is seen in its own',
    focus: 'commands',
    edits: [edit(CANCEL, "if ((await tools.epochs.readJob(tools.job))?.incarnation !== ownIncarnation) return 'superseded';", '')],
  },
  {
    name: 'epochs of other incarnations are deleted only while the job is seen in its own',
    focus: 'commands',
    edits: [edit(TABLE, "if (row?.incarnation !== ownIncarnation) return 'superseded';", '')],
  },
  {
    name: 'a partition that was added is read from its first offset, also when that is gone',
    edits: [
      edit(
        'lib/epoch/planning/plan-epoch.ts',
        'const from = [...known, ...partitions.slice(known.length).map(() => 0)];',
        'const from = [...known, ...starts.slice(known.length)];',
      ),
    ],
  },
  {
    name: "the end of a transaction is nobody's record",
    edits: [edit('lib/format/control-record.ts', 'if (last >= offset && isControl) return undefined;', '')],
  },
  {
    name: 'a leader that shows less of its log than our record says nothing of it',
    edits: [edit(LOOK, "if (found.highWatermark <= last) return { ...look, fate: 'unknown', answer: 'OFFSET_NOT_AVAILABLE' };", '')],
  },
  {
    name: 'the last stable offset is not taken for ours where the log begins with ours',
    edits: [edit(LOOK, '&& logStartOffset < range.first', '')],
  },
  {
    name: 'a transaction that no client can end is said',
    edits: [
      edit(COORDINATION, 'await sayHanging({ ...asking, cluster, tell }, settled.others);', ''),
      edit(
        'lib/sinks/kafka/watch-open.ts',
        'await sayHanging({ kafka, clock, cluster, tell }, lasting.filter(({ producerId }) => !own.has(producerId)), said,);',
        '',
      ),
    ],
  },
  {
    name: 'a value that is late for all its windows is in none',
    focus: 'windows',
    edits: [
      edit(SLICES, 'if (finalEnd - 1 + allowedLatenessMs <= beforeMs) return late(value);', ''),
      edit(EACH_WINDOW, 'if (finalEnd - 1 + allowedLatenessMs <= beforeMs) return late(value);', ''),
      edit(EACH_WINDOW, 'if (end - 1 + allowedLatenessMs <= beforeMs) continue;', ''),
    ],
  },
  {
    name: 'the end of a window has the next one looked at that shares its slices',
    focus: 'windows',
    edits: [edit(SLICES, 'if (next !== undefined) time.wakeBehind(next - 1);', '')],
  },
  {
    name: 'a value that is late for a window has that one given again which still takes it',
    focus: 'windows',
    edits: [
      edit(SLICES, 'if (known !== undefined && end - 1 > beforeMs) return;', 'if (known !== undefined) return;'),
      edit(EACH_WINDOW, 'known === undefined || end - 1 <= beforeMs', 'known === undefined'),
    ],
  },
  {
    name: 'slices that no window needs any more are gone, and their values with them',
    focus: 'windows',
    edits: [edit(SLICES, 'contents.drop(oldest - sliceMs, oldest - 1);', '')],
  },
  {
    name: 'sessions that a value brings together become one',
    focus: 'windows',
    edits: [edit(SESSIONS, 'if (one !== undefined && other !== undefined) join(one, behind as number, other);', '')],
  },
  {
    name: 'a value exactly the gap away belongs to the session: it is over only then',
    focus: 'windows',
    edits: [
      edit(SESSIONS, 'const lastOf = ({ lastMs }: Pane) => lastMs + gapMs;', 'const lastOf = ({ lastMs }: Pane) => lastMs + gapMs - 1;'),
    ],
  },
  {
    name: 'a session that was over and has grown is looked at again',
    focus: 'windows',
    edits: [
      edit(
        SESSIONS,
        'known === undefined || lastOf(pane) <= beforeMs || (other !== undefined && lastOf(other) <= beforeMs)',
        'known === undefined',
      ),
    ],
  },
  {
    name: 'of processing time a window is over when its last millisecond is behind',
    focus: 'windows',
    edits: [
      edit(WINDOW_TIME, 'this.#isEvent ? lastMs : lastMs + 1;', 'lastMs;'),
      edit(WINDOW_TIME, 'return timeMs - 1;', 'return timeMs;'),
    ],
  },
  {
    name: 'the watermark of a partition never goes back',
    focus: 'time',
    edits: [edit(WATERMARKS, 'laterOf(was.watermarkMs, watermarkMs)', 'watermarkMs ?? was.watermarkMs')],
  },
  {
    name: 'the watermark of a stage never goes back',
    focus: 'time',
    edits: [edit(WATERMARKS, 'return laterOf(before, combined(parts));', 'return combined(parts) ?? before;')],
  },
  {
    name: 'a partition without a watermark holds the others back',
    focus: 'time',
    edits: [edit(WATERMARKS, 'if (watermarkMs === undefined) return undefined;', 'if (watermarkMs === undefined) continue;')],
  },
  {
    name: 'a partition that is idle does not',
    focus: 'time',
    edits: [edit(WATERMARKS, 'parts.filter(({ isIdle }) => !isIdle)', 'parts')],
  },
  {
    name: 'a partition is active while there is more of it to read',
    edits: [edit(WATERMARKS, 'return epoch.hasMore(stage, partition) ? { ...was, activeMs: processingMs } : was;', 'return was;')],
    focus: 'time',
  },
  {
    name: 'a partition is active with the epoch that brings its records',
    focus: 'time',
    edits: [
      edit(
        WATERMARKS,
        'watermarkMs: laterOf(was.watermarkMs, watermarkMs), activeMs: processingMs',
        'watermarkMs: laterOf(was.watermarkMs, watermarkMs), activeMs: was.activeMs',
      ),
    ],
  },
  {
    name: 'processing time never goes back',
    focus: 'time',
    edits: [
      edit(ATTEMPT, 'Math.max(time?.processingMs ?? 0, Math.floor(wallMs))', 'Math.floor(wallMs)'),
      edit(WATERMARKS, 'Math.max(before?.processingMs ?? 0, epoch.processingMs)', 'epoch.processingMs'),
    ],
  },
  {
    name: 'a time that has come is a reason for an epoch',
    focus: 'time',
    edits: [edit(ON_EVENT, 'if (dueInMs <= 0) return takeTime(turn, held);', '')],
  },
  {
    name: 'a subtask without input runs when something of it is due',
    focus: 'time',
    edits: [edit('lib/epoch/attempt/stage-asks.ts', 'inputs.length === 0 && !isDue &&', 'inputs.length === 0 &&')],
  },
  {
    name: 'a snapshot says what of it is due',
    focus: 'time',
    edits: [
      edit(
        OPERATOR,
        '...(baseParts !== undefined && { baseParts }), due: state.due() };',
        '...(baseParts !== undefined && { baseParts }), due: previous.due };',
      ),
    ],
  },
  {
    name: 'a timer that has fired is gone from the state',
    focus: 'time',
    edits: [edit(TIMERS, 'timers.delete(number, timeMs); return', 'timers.queue.delete(first); return')],
  },
  {
    name: 'a delta says which timers are gone',
    focus: 'time',
    edits: [edit(TIMERS, 'out.varint(times[placeIn(times, timeMs)] === timeMs ? 1 : 0);', 'out.varint(1);')],
  },
  {
    name: 'timers of a snapshot are in the queue again',
    focus: 'time',
    edits: [edit(TIMERS, 'for (const timeMs of times) this.queue.add(this.#timer(number, timeMs));', '')],
  },
  {
    name: 'timers of event time fire before those of processing time',
    focus: 'time',
    edits: [
      edit(
        TIMERS,
        "this.#takeDue('event', watermarkMs) ?? this.#takeDue('processing', processingMs)",
        "this.#takeDue('processing', processingMs) ?? this.#takeDue('event', watermarkMs)",
      ),
    ],
  },
  {
    name: 'late is what is not newer than the watermark of the epoch before',
    focus: 'time',
    edits: [edit('lib/operators/epoch-clock.ts', 'this.watermarkMs = time?.beforeMs ?? ', 'this.watermarkMs = time?.afterMs ?? ')],
  },
  {
    name: 'what is made of a timer has its time',
    focus: 'time',
    edits: [edit('lib/operators/firing.ts', 'current.timestamp = timeMs;', '')],
  },
  {
    name: 'what is made of a timer is of its key',
    focus: 'time',
    edits: [edit('lib/operators/firing.ts', 'current.keyHash = murmur2(bytes, 0, bytes.length);', '')],
  },
  {
    name: 'in order of time rows come before the timers of their time',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/firing.ts',
        'timers?.takeDue(rowMs - 1, Number.NEGATIVE_INFINITY)',
        'timers?.takeDue(rowMs, Number.NEGATIVE_INFINITY)',
      ),
    ],
  },
  {
    name: 'in order of time rows of one time come in the order of their origins',
    focus: 'time',
    edits: [edit('lib/state/columns/waiting.ts', 'let row = inOrder(timeMs) + origin;', 'let row = inOrder(timeMs);')],
  },
  {
    name: 'in order of time a row waits until the watermark has passed it',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/kinds/time-order.ts',
        'else waiting.put(current.timestamp, rank + current.origin, waitingOf(value));',
        'else late(value);',
      ),
    ],
  },
  {
    name: 'in order of time what is late is given aside',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/kinds/time-order.ts',
        'if (current.timestamp <= clock.watermarkMs) late(value);',
        'if (current.timestamp <= Number.NEGATIVE_INFINITY) late(value);',
      ),
    ],
  },
  {
    name: 'what is late is counted',
    focus: 'time',
    edits: [edit('lib/operators/late-values.ts', 'counter.values++;', '')],
  },
  {
    name: 'what was late before is counted on',
    focus: 'time',
    edits: [edit('lib/epoch/decision/position.ts', 'lateTogether([before.time?.late, lateIn(attempt)])', 'lateIn(attempt)')],
  },
  {
    name: 'in order of time the watermark is that of the row',
    focus: 'time',
    edits: [edit('lib/operators/firing.ts', 'clock.watermarkMs = row.timeMs - 1;', '')],
  },
  {
    name: 'rows that wait are a reason for an epoch',
    focus: 'time',
    edits: [edit('lib/state/columns/waiting.ts', 'return eventMs === undefined ? undefined : { eventMs };', 'return undefined;')],
  },
  {
    name: 'a row has the origin of its own record',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/source-runtime.ts',
        'current.origin = originOfRecord(source.uid, partition, reader.offset);',
        'current.origin = originOfRecord(source.uid, partition, 0);',
      ),
    ],
  },
  {
    name: 'state with a time to live expires',
    focus: 'time',
    edits: [edit(LIFETIME, 'return kept < this.bound();', 'return false;')],
  },
  {
    name: 'what is changed in place stays as old as it was',
    focus: 'time',
    edits: [edit(LIFETIME, 'return kept.slice(0, STAMP_BYTES) + encoded;', 'return this.written(encoded);')],
  },
  {
    name: 'what is read lives as long again if its state says so',
    focus: 'time',
    edits: [edit(LIFETIME, "this.#ttl.refreshOn === 'write' ? kept : this.written(this.encodingOf(kept))", 'kept')],
  },
  {
    name: 'a base leaves out what has expired',
    focus: 'time',
    edits: [edit('lib/state/state-set.ts', 'this.#forgetExpired();', '')],
  },
  {
    name: 'a delta of a list says what has expired',
    focus: 'time',
    edits: [edit(LIST, 'bound: this.#lifetime.bound()', "bound: ''")],
  },
  {
    name: 'what of a map has expired is not met',
    focus: 'time',
    edits: [edit(MAP, 'this.#sweep(number); return this.#walk(number, show);', 'return this.#walk(number, show);')],
  },
  {
    name: 'files are uploaded, and not completed, before the decision',
    edits: [
      edit(
        UPLOAD,
        'return { key, upload, parts, bytes: bytes.length, rows };',
        'await store.complete(key, upload, parts); return { key, upload, parts, bytes: bytes.length, rows };',
      ),
    ],
    focus: 'reach',
  },
  {
    name: 'a file whose upload is gone counts as there when it is there',
    edits: [edit(COMMIT_FILES, 'if (size !== bytes)', 'if (size !== undefined && size !== bytes)')],
    focus: 'reach',
  },
  {
    name: 'a commit that the place of files refuses stops the job',
    edits: [edit('lib/sinks/files/commit.ts', ', refused: !error.retriable', '')],
    focus: 'reach',
  },
  {
    name: 'what a commit was refused for is what the job stops for',
    edits: [edit('lib/epoch/commit/commit-epoch.ts', "if (answer.outcome === 'unsettled' && refusal !== undefined) return [refusal];", '')],
    focus: 'reach',
  },
  {
    name: 'a list of files appears behind them',
    edits: [edit(COMMIT_FILES, 'if (doubts.length === 0 && manifest !== undefined)', 'if (manifest !== undefined)')],
    focus: 'reach',
  },
  {
    name: 'a file of a decided epoch that is nowhere is uploaded again',
    edits: [edit(RESOLVE_FILES, "=== undefined ? 'lost' : fateOf", "=== undefined ? 'there' : fateOf")],
    focus: 'reach',
  },
  {
    name: 'settling ends every upload of the job',
    edits: [edit(SETTLE_FILES, "if (open.length === 0) return { outcome: 'settled', ends };", "return { outcome: 'settled', ends };")],
    focus: 'reach',
  },
  {
    name: 'names of files hold the epoch',
    edits: [edit(FILE_NAMES, "String(epoch).padStart(EPOCH_DIGITS, '0')", "String(epoch * 0).padStart(EPOCH_DIGITS, '0')")],
    focus: 'reach',
  },
  {
    name: 'output counts as delivered when the target has answered for every batch',
    edits: [edit(DELIVER, 'await time.within(() => spec.deliver', 'void time.within(() => spec.deliver')],
    focus: 'reach',
  },
  {
    name: 'a delivery that is gone on with leaves out what was answered, and nothing else',
    edits: [edit(DELIVER, 'batches.slice(done)', 'batches.slice(known === undefined ? 0 : done + 1)')],
    focus: 'reach',
  },
  {
    name: 'the id of a batch holds its epoch',
    edits: [edit(DELIVER, '[job, incarnation, sink, subtask, epoch, done]', '[job, incarnation, sink, subtask, done]')],
    focus: 'reach',
  },
  {
    name: 'the id of a batch holds the incarnation',
    edits: [edit(DELIVER, '[job, incarnation, sink, subtask, epoch, done]', '[job, sink, subtask, epoch, done]')],
    focus: 'reach',
  },
  {
    name: 'what is broadcast comes in order of its origins',
    focus: 'connected',
    edits: [
      edit(
        'lib/operators/told-rows.ts',
        'this.#rows.sort((one, other) => (one.origin < other.origin ? -1 : one.origin > other.origin ? 1 : 0));',
        '',
      ),
    ],
  },
  {
    name: 'what is broadcast comes before all else of its epoch',
    focus: 'connected',
    edits: [edit('lib/operators/operator-runtime.ts', 'told.tell(working); takeRows(from, name);', 'takeRows(from, name);')],
  },
  {
    name: 'what is broadcast reaches every subtask',
    focus: 'connected',
    edits: [edit('lib/epoch/attempt/stage-asks.ts', "parts[how === 'broadcast' ? 0 : subtask]", 'parts[subtask]')],
  },
  {
    name: 'one subtask keeps what all hold alike',
    focus: 'connected',
    edits: [edit('lib/protocol/shared-state.ts', 'return subtask === 0;', 'return true;')],
  },
  {
    name: 'what all hold alike is known by the attempt that made it',
    focus: 'connected',
    edits: [edit('lib/stages/operator.ts', 'return decisionId;', "return decisionId === '' ? decisionId : 'shared';")],
  },
  {
    name: 'a state of a broadcast that has not changed keeps its snapshot',
    focus: 'connected',
    edits: [edit('lib/state/broadcast-state.ts', 'return this.#delta !== undefined || this.#set.changed();', 'return false;')],
  },
  {
    name: 'what is broadcast holds no time back',
    focus: 'connected',
    edits: [edit('lib/plan/time.ts', "if (how !== 'broadcast') meet(from);", "if (how !== 'sink') meet(from);")],
  },
  {
    name: 'a row that has waited goes to the function of its own input',
    focus: 'connected',
    edits: [
      edit('lib/operators/kinds/time-order.ts', 'give(onRecord[input] as OnRecord, value)', 'give(onRecord[input * 0] as OnRecord, value)'),
    ],
  },
  {
    name: 'rows of several inputs wait in one order of time',
    focus: 'connected',
    edits: [edit('lib/operators/of-input.ts', 'out.u8(input);', 'out.u8(0);')],
  },
  {
    name: 'a stage runs behind all that lead to it, also by a broadcast',
    focus: 'connected',
    edits: [
      edit(
        'lib/epoch/attempt/wavefront.ts',
        "if (edgesTo(plan, stage.id).some(({ from }) => attempt.stages.get(from) !== 'done')) return false;",
        "if (edgesTo(plan, stage.id).some(({ from, how }) => how !== 'broadcast' && attempt.stages.get(from) !== 'done')) return false;",
      ),
    ],
  },
  {
    name: 'of one time rows come in the order of the inputs',
    focus: 'connected',
    edits: [edit('lib/operators/kinds/time-order.ts', 'String.fromCharCode(input);', 'String.fromCharCode(31 - input);')],
  },
  {
    name: 'rows that are made of a record are counted by edge',
    focus: 'connected',
    edits: [edit('lib/operators/origins.ts', 'if (turn !== current.turn) made = first;', '')],
  },
  {
    name: 'what was broadcast is only read by what was not',
    focus: 'connected',
    edits: [edit('lib/state/broadcast-state.ts', 'this.#set.keys.isSealed = true;', '')],
  },
  {
    name: 'no branch sees what was done to its value behind a union',
    focus: 'connected',
    edits: [edit('lib/operators/kinds/union.ts', "givesToUser: () => 'behind',", 'givesToUser: () => false,')],
  },
  {
    name: 'of an epoch the streams of an operator come in its own order',
    focus: 'connected',
    edits: [edit('lib/plan/compile.ts', 'parts = parts.map((part) => ({ ...part, keyBys: inOrderOfAll(job, part) }));', '')],
  },
  {
    name: 'the bounds of an interval join are included',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'within(right, timestamp + lowerBoundMs,', 'within(right, timestamp + lowerBoundMs + 1,')],
  },
  {
    name: 'a left row is kept until its interval is over',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'const leftWaitsMs = Math.max(0, upperBoundMs);', 'const leftWaitsMs = Math.max(0, upperBoundMs - 100);')],
  },
  {
    name: 'a right row is kept until its interval is over',
    focus: 'connected',
    edits: [
      edit(INTERVAL_JOIN, 'const rightWaitsMs = Math.max(0, -lowerBoundMs);', 'const rightWaitsMs = Math.max(0, -lowerBoundMs - 100);'),
    ],
  },
  {
    name: 'what is kept for an interval goes when that is over',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'timeMs - rightWaitsMs)) right.delete(place);', 'timeMs - rightWaitsMs)) void place;')],
  },
  {
    name: 'a left row that has met another is not alone',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'if (!one.met) left.set(place, { value: one.value, met: true });', '')],
  },
  {
    name: 'from a deletion on a key has no version',
    focus: 'connected',
    edits: [
      edit(
        'lib/api/joins/version-joins.ts',
        'if (decided(isDeleted(value))) version.clear(); else version.set(value);',
        'version.set(value);',
      ),
    ],
  },
  {
    name: 'whose a generation is says the claim in the row, and not the name of its holder',
    focus: 'starts',
    edits: [
      edit(
        TABLE,
        'if (claim !== undefined && row !== undefined && this.#claims.get(job) === claim) return row;',
        'if (claim !== undefined && row?.holder === change.holder && row?.generation === (seen.generation ?? 0) + 1) return row;',
      ),
    ],
  },
  {
    name: 'input that waits for the rest is let in when the rest is idle',
    focus: 'held',
    edits: [
      edit('lib/time/due.ts', 'if (isHeld && afterMs !== ofName(position.time?.stages, stage.id)) return true;', ''),
      edit(
        'lib/time/due.ts',
        'if (!isHeld && !isAnythingWaiting(position, plan)) return false;',
        'if (!isAnythingWaiting(position, plan)) return false;',
      ),
    ],
  },
  {
    name: 'a window join knows of each value which stream it is of',
    focus: 'tables',
    edits: [edit('lib/operators/kinds/window/window.ts', 'takeRow(index, { input, value }', 'takeRow(index, { input: input * 0, value }')],
  },
  {
    name: 'what is late for a window join goes aside as it came',
    focus: 'tables',
    edits: [edit('lib/operators/kinds/window/window.ts', 'aside((value as OfInput).value)', 'aside(value)')],
  },
  {
    name: 'an outer window join gives what is alone, and nothing else, without a partner',
    focus: 'tables',
    edits: [edit('lib/api/joins/window-join.ts', 'if (aloneOnTheLeft && rights.length === 0)', 'if (aloneOnTheLeft)')],
  },
  {
    name: 'of equals the one ranks first whose bytes are less, whichever came first',
    focus: 'tables',
    edits: [edit('lib/api/shapes/ranking.ts', 'return oneBytes < otherBytes ? -1 : oneBytes > otherBytes ? 1 : 0;', 'return 0;')],
  },
  {
    name: 'a ranking with ties keeps all that equal its last',
    focus: 'tables',
    edits: [edit('lib/api/shapes/ranking.ts', 'return this.#withTies && this.#compare', 'return this.#n < 0 && this.#compare')],
  },
  {
    name: 'a result that comes again takes the place of the one before of its key',
    focus: 'tables',
    edits: [
      edit(
        'lib/api/shapes/top-of-windows.ts',
        'resultsIn(state).set(key, value);',
        'if (!resultsIn(state).has(key)) resultsIn(state).set(key, value);',
      ),
    ],
  },
  {
    name: 'results of windows are kept as long as one may come again',
    focus: 'tables',
    edits: [
      edit(
        'lib/api/shapes/top-of-windows.ts',
        'if (timeMs === overAt(lastMs) + allowedLatenessMs) all.clear();',
        'if (timeMs === overAt(lastMs)) all.clear();',
      ),
    ],
  },
  {
    name: 'a ranking over all keys tells their results apart by key',
    focus: 'tables',
    edits: [edit('lib/operators/kinds/stamp.ts', 'key: current.key', 'key: String(current.key).slice(0, 0)')],
  },
  {
    name: 'a table says when what there was is no more',
    focus: 'tables',
    edits: [edit('lib/api/joins/join-tables.ts', 'else if (had) out.emit({ key, value: undefined });', '')],
  },
  {
    name: 'a table that deletes what it has not changes nothing',
    focus: 'tables',
    edits: [edit('lib/api/joins/join-tables.ts', 'if (deletes && own.get() === undefined) return;', '')],
  },
  {
    name: 'what is counted again lives on',
    focus: 'tables',
    edits: [
      edit(
        'lib/api/shapes/distinct-count.ts',
        'held.set(selected(selector, value), 1);',
        'if (!held.has(selected(selector, value))) held.set(selected(selector, value), 1);',
      ),
    ],
  },
  {
    name: 'what two sessions have seen is counted in the one that they become',
    focus: 'tables',
    edits: [
      edit('lib/api/shapes/distinct-count.ts', 'for (const one of other as Set<string>) (seen as Set<string>).add(one);', 'void other;'),
    ],
  },
  {
    name: 'what is given aside goes under its own name',
    focus: 'connected',
    edits: [edit('lib/operators/chain.ts', "node.kind === 'sideOutput' && node.tag === tag", "node.kind === 'sideOutput'")],
  },
  {
    name: 'what is given aside is a copy of its own',
    focus: 'connected',
    edits: [
      edit('lib/operators/opened-stage.ts', "compileSide(parts, node.id, tag, 'kept')", "compileSide(parts, node.id, tag, 'passed')"),
    ],
  },
  {
    name: 'answers go on in the order of their values',
    focus: 'connected',
    edits: [edit('lib/operators/async-calls.ts', 'this.next(answers[index]);', 'this.next(answers[held.length - 1 - index]);')],
  },
  {
    name: 'an answer has the time and the key of its value',
    focus: 'connected',
    edits: [edit('lib/operators/async-calls.ts', 'Object.assign(this.#current, of, {', 'Object.assign(this.#current, {')],
  },
  {
    name: 'what timers make is waited for as well',
    focus: 'connected',
    edits: [
      edit(
        'lib/stages/operator.ts',
        'runtime.endTime();\n    if (runtime.isWaiting) await runtime.settle(deps.clock, request.deadlineMs);',
        'runtime.endTime();',
      ),
    ],
  },
  {
    name: 'what was asked for is told from what was not',
    focus: 'connected',
    edits: [
      edit(
        'lib/operators/async-calls.ts',
        "of.origin === '' ? '' : originOfAnswer(of.origin, this.#node.id, nth)",
        'of.origin.slice(nth * 0)',
      ),
    ],
  },
  {
    // No seed comes to it: whoever makes a permit makes it of the manifest whose committables it names. Unit tests catch it.
    name: 'a permit covers its own epoch alone',
    edits: [edit('lib/protocol/permit.ts', 'if (permit.epoch !== epoch) throw', 'if (permit.epoch < 0) throw')],
  },
  {
    name: 'a subtask begins with every snapshot that has a key group of its own',
    edits: [
      edit(
        SNAPSHOTS,
        'keyGroups.first <= range.last && keyGroups.last >= range.first',
        'keyGroups.first >= range.first && keyGroups.last <= range.last',
      ),
    ],
    focus: 'rescales',
  },
  {
    name: 'a subtask whose key groups have changed runs, though nothing came for it',
    edits: [
      edit(
        SNAPSHOTS,
        'return snapshots.length === 1 && only?.keyGroups.first === range.first && only.keyGroups.last === range.last;',
        'return snapshots.length <= 1;',
      ),
    ],
    focus: 'rescales',
  },
  {
    name: 'what a process keeps of a subtask is of the numbers that it was asked for',
    edits: [edit(SERVE, 'JSON.stringify([incarnation, subtasks, sinkFacts])', 'JSON.stringify([incarnation, sinkFacts, subtasks.length])')],
    focus: 'rescales',
  },
  {
    name: 'a sink has no more subtasks than there are in the pool',
    edits: [edit(SCALE, "kind === 'sink' ? Math.min(wanted, subtasksOf(pooled, id)) : wanted", 'wanted')],
    focus: 'rescales',
  },
  {
    name: 'savepoints are read before anything is deleted',
    focus: 'savepoints',
    edits: [edit(LIVE, 'deps.epochs.listSavepoints(job)).filter(isPin)', 'deps.epochs.listSavepoints(job)).slice(0, 0).filter(isPin)')],
  },
  {
    name: 'what is imported keeps all that is written for it before it is complete',
    focus: 'savepoints',
    edits: [edit(LIVE, 'return { prefix: `${savepoint.job}/${savepoint.incarnation}/` };', 'return {};')],
  },
  {
    name: 'no savepoint is made of an epoch that is RETIRED',
    focus: 'pins',
    edits: [
      edit(
        TABLE,
        "if (!isKept(this.#jobs.get(job), incarnation, epoch)) return 'refused';",
        "if (this.#jobs.get(job)?.incarnation !== incarnation) return 'refused';",
      ),
    ],
  },
  {
    name: 'a savepoint outlives its job: what it names is not deleted with that',
    focus: 'savepoints',
    edits: [
      edit(
        CANCEL,
        'const garbage = found.filter((name) => !pinned.has(name));',
        'const garbage = found.slice(pinned.unreadable.length * 0);',
      ),
    ],
  },
  {
    name: 'who has lost the job since deletes nothing of what it has collected',
    focus: 'savepoints',
    edits: [edit(COLLECT, LAST_LOOK, UNNAMED)],
  },
  {
    name: 'what is kept of an incarnation that the job has left is what its manifests name',
    focus: 'savepoints',
    edits: [
      edit(
        'lib/epoch/garbage/retain.ts',
        'if (epoch === undefined || facts.live.has(name)) return false;',
        "if (epoch === undefined || (facts.live.has(name) && name.split('/')[1] === facts.incarnation)) return false;",
      ),
      edit(
        COLLECT,
        'const unnamed = garbage.filter((name) => !pinned.has(name));',
        'const unnamed = garbage.slice(pinned.unreadable.length * 0);',
      ),
    ],
  },
  {
    name: 'a start from a savepoint is made only while that is there',
    focus: 'savepoints',
    edits: [
      edit(
        TABLE,
        "if (savepoint !== undefined && (pin?.id !== savepoint.id || pin.standing !== 'complete')) return 'refused';",
        'void pin;',
      ),
    ],
  },
  {
    name: 'a start from a savepoint commits what is decided before it leaves it',
    focus: 'savepoints',
    edits: [
      edit(TABLE, "if (row.lastCompleted !== undefined && row.lastCommitted !== row.lastCompleted.epoch) return 'refused';", ''),
      edit(
        'lib/epoch/start/begin-incarnation.ts',
        'if (completed !== undefined && row.lastCommitted < completed.epoch) {',
        'if (completed !== undefined && completed.epoch < 0) {',
      ),
    ],
  },
  {
    name: 'sources go on where a start says, and not at the offsets of its savepoint',
    focus: 'moves',
    edits: [edit(MOVED, 'if (point === undefined) return manifest;', 'if (point !== manifest) return manifest;')],
  },
  {
    name: 'offsets of elsewhere are of the topics that were asked for them',
    focus: 'moves',
    edits: [edit(MOVED, 'if (topicId !== undefined) topicIds.push', "if (topicId === '') topicIds.push")],
  },
  {
    name: 'of partitions elsewhere nothing is known',
    focus: 'moves',
    edits: [edit(MOVED, 'isKnown(id) ? { ...of, partitions: {} } : of', 'isKnown(id) ? { ...of } : of')],
  },
  {
    name: 'a source that goes on elsewhere keeps its watermark',
    focus: 'moves',
    edits: [edit(MOVED, 'isKnown(id) ? { ...of, partitions: {} } : of', 'isKnown(id) ? { partitions: {} } : of')],
  },
  {
    name: 'partitions that no epoch knows yet are a reason for one, where something waits for them',
    focus: 'moves',
    edits: [edit('lib/time/due.ts', 'if (waitsForUnknown(position, plan, isHeld)) return true;', '')],
  },
  {
    name: 'what an operator had under its former uid is what it goes on with',
    focus: 'updates',
    edits: [edit(NEW_NAMES, 'const former = isKept(uid) ? undefined : names.find(isKept);', 'const former = names.find(() => false);')],
  },
  {
    name: 'state of an operator that the job does not know is not left behind',
    focus: 'updates',
    edits: [
      edit(NEW_NAMES, 'const former = isKept(uid) ? undefined : names.find(isKept);', 'const former = names.find(() => false);'),
      edit(CHECK_STATE, 'if (isOwn && uids.has(operator)) continue;', 'if (isOwn || !uids.has(operator)) continue;'),
    ],
  },
  {
    name: 'the first epoch of a changed graph has the new names before anything runs',
    focus: 'updates',
    edits: [edit(START, 'last === named && unread.length === 0', 'unread.length === 0')],
  },
  {
    name: 'a state goes on with what is stored under its former name',
    focus: 'updates',
    edits: [
      edit(
        'lib/state/stored-state.ts',
        'states.find((state) => state.name === name) ?? states.find(({ formerly = [] }) => formerly.includes(name))',
        'states.find((state) => state.name === name)',
      ),
      edit(CHECK_STATE, 'if (isOwn && uids.has(operator)) continue;', 'continue;'),
    ],
  },
  {
    name: 'each blob of a snapshot says in which version it was written',
    focus: 'updates',
    edits: [
      edit(STATE_SET, 'const translations: (Translation | undefined)[] = [];', 'const translations = ofAll;'),
      edit(
        STATE_SET,
        'const name = `state of ${this.#uid}`;',
        'const name = `state of ${this.#uid}`;\n    const ofAll: (Translation | undefined)[] = [];',
      ),
    ],
  },
  {
    name: 'what is written says the version in which it is written',
    focus: 'updates',
    edits: [
      edit(
        STATE_SET,
        'return writer.finish(this.#stored);',
        'return writer.finish(this.#stored.map((of) => ({ ...of, serdes: of.serdes.map((name, at) => of.reads?.[at]?.[0] ?? name) })));',
      ),
    ],
  },
  {
    name: 'entries of a list are migrated in a delta as in a base',
    focus: 'updates',
    edits: [edit(LIST, 'list[index] = readEntry();', 'list[index] = readSized(cursor);')],
  },
  {
    name: 'keys of a map are migrated, not its values alone',
    focus: 'updates',
    edits: [edit(MAP_FORMAT, 'const key = ofKey(readSized(cursor));\n    entries.set', 'const key = readSized(cursor);\n    entries.set')],
  },
  {
    name: 'a key that has changed stays in memory until the delta holds the change',
    edits: [edit(RESIDENT_KEYS, 'if (this.#keys.marks[number] !== KEPT) continue;', 'if (this.#keys.marks[number] === 0) continue;')],
  },
  {
    name: 'a key that is met is looked for on disk',
    edits: [edit('lib/state/key-index.ts', 'const brought = this.elsewhere?.bring(keyGroup, id);', 'const brought = undefined;')],
  },
  {
    name: 'a change of a key on disk is loaded on top of what it holds',
    edits: [edit(STATE_SET, 'this.keys.find(keyGroup, id) ?? this.residents?.bring(keyGroup, id);', 'this.keys.find(keyGroup, id);')],
  },
  {
    name: 'a key group that was not read is not taken for an empty one',
    edits: [
      edit(UNREAD, 'if (keyGroup >= first && keyGroup <= last) residents?.leave(keyGroup);', 'void [residents, keyGroup, first, last];'),
    ],
  },
  {
    name: 'a key group is read as a whole: its base and all its deltas',
    edits: [edit(UNREAD, 'state.loadLater(bases, deltas, keyGroups);', 'state.loadLater(bases, deltas.slice(0, 0), keyGroups);')],
  },
  {
    name: 'a base holds what is on disk',
    edits: [edit(STATE_SET, 'residents.writeTo(keyGroup, writer, expire);', '')],
  },
  {
    name: 'a base is all of its parts',
    edits: [edit(OPERATOR, 'const [base, ...deltas] = refs;', 'const [base, ...others] = refs; const deltas = others.slice(0, 0);')],
  },
  {
    name: 'timers of keys on disk are waited for',
    focus: 'time',
    edits: [edit(STATE_SET, 'reduce(earliestOf, this.residents?.due());', 'reduce(earliestOf, undefined);')],
  },
  {
    name: 'timers of keys on disk fire with those of keys in memory',
    focus: 'time',
    edits: [edit(FIRING, 'state.bringDue(afterMs, clock.processingMs);', '')],
  },
  {
    name: 'a key on disk says what of it waits for a time',
    focus: 'time',
    edits: [
      edit(
        RESIDENT_KEYS,
        'this.#columns.map((column) => column.dueOf?.(number))',
        'this.#columns.slice(0, 0).map((column) => column.dueOf?.(number))',
      ),
    ],
  },
  {
    name: 'a key that comes from a page on disk is gone from it',
    edits: [edit(SPILLED_PAGES, 'this.#rows.putPage(keyGroup, index, out.view());', '')],
  },
  {
    name: 'a base holds the pages on disk',
    edits: [edit(RESIDENT_KEYS, 'this.#pages.eachBase(keyGroup, (entries, count) => writer.writtenEntries(entries, count));', '')],
  },
  {
    name: 'a key that comes from a page on disk has all changes that deltas have of it',
    edits: [edit(RESIDENT_KEYS, 'for (const bytes of held) this.#apply(number, bytes);', 'this.#apply(number, held[0] as Buffer);')],
  },
  {
    name: 'a base has of keys on disk what deltas have changed',
    edits: [edit(RESIDENT_KEYS, 'for (const key of ofPages) this.#rewrite(keyGroup, key, writer, expire);', '')],
  },
  {
    name: 'a base leaves on disk what it has of the keys there',
    edits: [
      edit(
        RESIDENT_KEYS,
        'this.#pages.replace(keyGroup, writer.bytesFrom(from));',
        'this.#pages.replace(keyGroup, writer.bytesFrom(writer.bytes));',
      ),
    ],
  },
  {
    name: 'a key on disk holds all of it, and not what has changed of it',
    edits: [edit(RESIDENT_KEYS, "writeHeld(this.#columns, number, out, 'base')", "writeHeld(this.#columns, number, out, 'delta')")],
  },
  {
    name: 'a base holds the rows on disk',
    edits: [edit(RESIDENT_KEYS, 'if (expire === undefined) writer.writtenEntry(key, held);', 'if (expire === undefined) void held;')],
  },
  {
    name: 'what may be due by itself does not lie in pages',
    focus: 'time',
    edits: [edit(STATE_SET, 'this.waitsForTime || !payloads.every(isSame)', '!payloads.every(isSame)')],
  },
  {
    name: 'pages hold what the same states have written',
    focus: 'updates',
    edits: [edit(STATE_SET, 'this.waitsForTime || !payloads.every(isSame)', 'this.waitsForTime')],
  },
  {
    name: 'what was listed is listed again when something of it can have become garbage',
    focus: 'garbage',
    edits: [OFTEN, edit(LISTINGS, 'known?.facts !== facts ||', 'known === undefined ||')],
  },
];
