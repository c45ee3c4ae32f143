import { edit, type Mutant } from '../mutant.ts';

const RESOLVE = 'lib/sinks/kafka/resolve.ts';
const COMMIT = 'lib/sinks/kafka/commit.ts';
const LOOK = 'lib/sinks/kafka/look.ts';
const CHECK = 'lib/sinks/kafka/check-prepared.ts';
const COORDINATION = 'lib/sinks/kafka/coordination.ts';
const PREPARE = 'lib/sinks/kafka/prepare.ts';
const SEND = 'lib/sinks/kafka/send-staged.ts';
const DEAD_LETTERS = 'lib/sinks/kafka/dead-letters.ts';

export const kafka: readonly Mutant[] = [
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
    name: 'records that joined older open ones are found, though their own transaction is open',
    edits: [edit(CHECK, 'if (found.openSince !== range.first)', 'if (found.openSince < 0)')],
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
    name: 'dead letters are staged with the epoch that leaves the records out',
    edits: [edit(DEAD_LETTERS, '[sections.length === 0 ? undefined : encodeStagedOutput(sections)]', '[undefined]')],
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
];
