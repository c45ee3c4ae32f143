import type { Mutant } from './mutants.ts';

/** A mutant that was read, and that no test has to catch. */
export interface Equivalent extends Pick<Mutant, 'file' | 'within' | 'before' | 'after'> {
  /** Which one, where the same lines are there more than once in the function. @default 1 */
  readonly nth?: number;
  /** Why nobody can tell it from the original, or why nobody needs to. */
  readonly reason: string;
}

/** Copied from the report of a survivor. An entry whose lines are gone fails a test. */
export const equivalent: readonly Equivalent[] = [
  {
    file: 'lib/epoch/attempt/wavefront.ts',
    within: 'nextSteps',
    before: "if (phase === 'decided' && previous === undefined) steps.push({ do: 'commit', epoch });",
    after: "if (phase === 'decided') steps.push({ do: 'commit', epoch });",
    reason: 'An epoch is decided when the one before it is committed, and is in flight no more: none that is decided has one before it.',
  },
  {
    file: 'lib/sinks/deliver/staged-rows.ts',
    within: 'spansIn',
    before: "if (at + length > bytes.length) throw corrupt('a batch ends within a row');",
    after: "if (false) throw corrupt('a batch ends within a row');",
    reason:
      'A row that reaches beyond its batch is found by the next look, for its rows do not end where the batch does: only the words differ.',
  },
  {
    file: 'lib/sinks/dynamodb/coordination.ts',
    within: 'learnTables',
    before: 'const ledgerKeys = ledgerTable === table ? keys : await keysOf(items, sink, ledgerTable);',
    after: 'const ledgerKeys = false ? keys : await keysOf(items, sink, ledgerTable);',
    reason: 'The same table is asked twice, and answers the same.',
  },
  {
    file: 'lib/epoch/savepoint/delete.ts',
    within: 'incarnationsOf',
    before: "const { names = [] } = savepoint.standing === 'importing' ? {} : await namesOf(deps, savepoint);",
    after: 'const { names = [] } = false ? {} : await namesOf(deps, savepoint);',
    reason:
      'One that is coming names blobs of its own incarnation alone, if its manifest is there: that incarnation is looked at in any case.',
  },
  {
    file: 'lib/sinks/files/prepare.ts',
    within: 'prepareFiles',
    before:
      "if (answerBytes(planned) > MOST_ANSWER_BYTES) return { outcome: 'failed', retriable: false, message: tooMany(place, planned.length) };",
    after:
      "if (answerBytes(planned) >= MOST_ANSWER_BYTES) return { outcome: 'failed', retriable: false, message: tooMany(place, planned.length) };",
    reason: 'The bound is an estimate, a megabyte below what Lambda carries: an answer of exactly so many bytes may be taken or refused.',
  },
  {
    file: 'lib/epoch/start/start.ts',
    within: 'newRow',
    before: 'incarnation: deps.random.id().slice(0, 8),',
    after: 'incarnation: deps.random.id().slice(0, 7),',
    reason: 'A shorter id only makes it likelier that two lives of a job get the same one: no history shows that.',
  },
  {
    file: 'lib/epoch/failure/isolate.ts',
    within: 'shareOut',
    before: 'if (most >= offsetsIn(parts)) return [...parts];',
    after: 'if (most > offsetsIn(parts)) return [...parts];',
    reason: 'A share of all there is comes to all of each part, in another order; and parts are looked up, never counted off.',
  },
  {
    file: 'lib/epoch/attempt/attempt.ts',
    within: 'newAttempt',
    before: 'decisionMs: 0,',
    after: 'decisionMs: 1,',
    reason: 'Its decision sets it, and figures are made of an attempt that is committed: nothing reads the first value.',
  },
  {
    file: 'lib/stages/source.ts',
    within: 'fetchOpenRanges',
    before:
      'const open = ranges.map((range, index) => ({ range, index })).filter(({ range, index }) => (positions[index] ?? 0) < range.bound);',
    after:
      'const open = ranges.map((range, index) => ({ range, index })).filter(({ range, index }) => (positions[index] ?? 1) < range.bound);',
    reason: 'There is a position for each range: both are made of the ranges of one request. The rest is for the compiler.',
  },
  {
    file: 'lib/epoch/loop/due.ts',
    within: 'beginDecision',
    before:
      'const slowest = sinks.reduce((one, other) => ((attempt.stageMs.get(other) ?? 0) > (attempt.stageMs.get(one) ?? 0) ? other : one));',
    after:
      'const slowest = sinks.reduce((one, other) => ((attempt.stageMs.get(other) ?? 0) > (attempt.stageMs.get(one) ?? 1) ? other : one));',
    reason: 'An attempt is decided when every stage has finished, and each of them has its time then.',
  },
  {
    file: 'lib/sinks/kafka/left-open.ts',
    within: 'readOpen',
    before: 'let isGone = false;',
    after: 'let isGone = true;',
    reason: 'Every try sets it before it is read, and there is one try at least. The first value is for the compiler.',
  },
  {
    file: 'lib/stages/source.ts',
    within: 'readRanges',
    before: 'const ahead = bytesIn < request.maxBytes && deps.clock.elapsedMs() < endMs ? fetchNext() : undefined;',
    after: 'const ahead = bytesIn < request.maxBytes && deps.clock.elapsedMs() <= endMs ? fetchNext() : undefined;',
    reason: 'Whether another chunk is asked for in the very millisecond in which the time is over: epochs may be cut anywhere.',
  },
  {
    file: 'lib/epoch/garbage/retain.ts',
    within: 'liveNames',
    before: 'const outputs = manifest.epoch > lastCommitted ? Object.values(manifest.outputs).flat(2) : [];',
    after: 'const outputs = manifest.epoch > lastCommitted ? Object.values(manifest.outputs).flat(3) : [];',
    reason: 'References are objects: there is no third level to flatten.',
  },
  {
    file: 'lib/stages/prepared.ts',
    within: 'prepared',
    before: 'for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {',
    after: 'for (let attempts = 0; attempts <= MOST_ATTEMPTS; attempts++) {',
    reason: 'One attempt more or less of a hundred that come to nothing.',
  },
  {
    file: 'lib/sinks/files/prepare.ts',
    within: 'prepareFiles',
    before: 'const committable: FilesCommittable = { sink, subtask, epoch, location, files, ...(manifest !== undefined && { manifest }) };',
    after: 'const committable: FilesCommittable = { sink, subtask, epoch, location, files, ...({ manifest }) };',
    reason: 'A manifest that is undefined is left out when the committable becomes JSON.',
  },
  {
    file: 'lib/stages/serve.ts',
    within: 'refusalOf',
    before: 'if (clock.elapsedMs() < request.deadlineMs) return undefined;',
    after: 'if (clock.elapsedMs() <= request.deadlineMs) return undefined;',
    reason: 'In the very millisecond in which its time is over the work has none left either way.',
  },
  {
    file: 'lib/stages/operator.ts',
    within: 'takeWarm',
    before:
      'const same = Object.entries(request.snapshots).every(([uid, refs]) => refs.length === 1 && refs[0]?.id === ofName(snapshotIds, uid));',
    after: 'const same = Object.entries(request.snapshots).every(([uid, refs]) => refs[0]?.id === ofName(snapshotIds, uid));',
    reason: 'A snapshot has an id of its own, so what is the first of several is never what a runtime with all of their keys has written.',
  },
  {
    file: 'lib/sinks/kafka/commit.ts',
    within: 'awaitEnds',
    before: "const isOver = open.some(({ fate }) => fate === 'aborted' || fate === 'no-evidence');",
    after: "const isOver = open.some(({ fate }) => fate === 'aborted');",
    reason: 'The end comes a look later, when the time for it is over: slower, and the same answer.',
  },
  {
    file: 'lib/epoch/coordinator/perform.ts',
    within: 'endLeftovers',
    before: 'if (!(error instanceof LeftToNextError) || held.signal.aborted) throw error;',
    after: 'if (!(error instanceof LeftToNextError)) throw error;',
    reason: 'When its signal is aborted the loop is over, and nobody reads what comes of it.',
  },
  {
    file: 'lib/sinks/files/staged-files.ts',
    within: 'decodeStagedFiles',
    before: 'const headEnd = payload.length < 4 ? 0 : 4 + payload.readUInt32LE(0);',
    after: 'const headEnd = payload.length < 5 ? 0 : 4 + payload.readUInt32LE(0);',
    reason: 'Four bytes hold no index: both say that it is cut off.',
  },
  {
    file: 'lib/epoch/planning/plan.ts',
    within: 'planRanges',
    before: 'const any = gaps.length > 0 || Object.values(ranges).flat(2).length > 0;',
    after: 'const any = gaps.length > 0 || Object.values(ranges).flat(3).length > 0;',
    reason: 'Ranges are objects: there is no third level to flatten.',
  },
  {
    file: 'lib/sinks/kafka/send-staged.ts',
    within: 'produceInOrder',
    before: 'const atOnce = who === undefined ? 1 : PRODUCE_IN_FLIGHT;',
    after: 'const atOnce = true ? 1 : PRODUCE_IN_FLIGHT;',
    reason: 'One request at a time: slower, and the same. The benchmarks hold how fast it is.',
  },
  {
    file: 'lib/epoch/loop/chores.ts',
    within: 'dueChores',
    before: 'if (come.length === 0) return { chores, due: come };',
    after: 'if (false) return { chores, due: come };',
    reason: 'Without any that is due the rest makes an equal value.',
  },
  {
    file: 'lib/sinks/kafka/look.ts',
    within: 'notAnswered',
    before: 'const nothing = { logStartOffset: -1, highWatermark: -1, lastStableOffset: -1, aborted: [], records: Buffer.alloc(0) };',
    after: 'const nothing = { logStartOffset: -0, highWatermark: -1, lastStableOffset: -1, aborted: [], records: Buffer.alloc(0) };',
    reason: 'Minus zero is zero, and of what was not answered no offset is read.',
  },
  {
    file: 'lib/epoch/failure/isolate.ts',
    within: 'shareOut',
    before: 'if (most >= offsetsIn(parts)) return [...parts];',
    after: 'if (false) return [...parts];',
    reason: 'A share of all there is comes to all of each part, in another order; and parts are looked up, never counted off.',
  },
  {
    file: 'lib/epoch/start/start.ts',
    within: 'newRow',
    before: 'incarnation: deps.random.id().slice(0, 8),',
    after: 'incarnation: deps.random.id().slice(1, 8),',
    reason: 'Any eight digits of a random id do; one less only makes it likelier that two lives of a job get the same one.',
  },
  {
    file: 'lib/sinks/kafka/commit.ts',
    within: 'awaitEnds',
    before: "const isOver = open.some(({ fate }) => fate === 'aborted' || fate === 'no-evidence');",
    after: "const isOver = open.some(({ fate }) => fate === 'no-evidence');",
    reason: 'The end comes a look later, when the time for it is over: slower, and the same answer.',
  },
  {
    file: 'lib/stages/operator.ts',
    within: 'follow',
    before: 'if (previous !== undefined && !state.changed()) return previous.id;',
    after: 'if (previous !== undefined) return previous.id;',
    reason: 'A subtask that does not write what all hold alike forgets what it is, and reads it again: slower, and the same.',
  },
  {
    file: 'lib/stages/source.ts',
    within: '',
    before: 'const PARTITION_FETCH_BYTES = 2 * 1024 * 1024;',
    after: 'const PARTITION_FETCH_BYTES = 1 * 1024 * 1024;',
    reason: 'How much is asked for at once: epochs may be cut anywhere. The benchmarks hold how fast it is.',
  },
  {
    file: 'lib/stages/unread-state.ts',
    within: '',
    before: 'const MOST_SLICE_BYTES = 4 * 1024 * 1024;',
    after: 'const MOST_SLICE_BYTES = 4 * 0 * 1024;',
    reason: 'Key groups one by one instead of several at once: slower, and the same. The benchmarks hold how fast it is.',
  },
  {
    file: 'lib/epoch/loop/on-event.ts',
    within: 'takeNothing',
    before: 'change(turn, { idleSinceMs: dueInMs <= TICK_MS ? undefined : (idleSinceMs ?? nowMs) });',
    after: 'change(turn, { idleSinceMs: dueInMs < TICK_MS ? undefined : (idleSinceMs ?? nowMs) });',
    reason: 'What is due in the very millisecond in which the next tick may come is in time whether it is waited for or left to that tick.',
  },
  {
    file: 'lib/epoch/start/check-state.ts',
    within: 'headsOf',
    before: 'for (let first = 0; first < refs.length; first += AT_ONCE)',
    after: 'for (let first = 0; first <= refs.length; first += AT_ONCE)',
    reason: 'The slice behind the last of them is empty: nobody is asked for anything.',
  },
  {
    file: 'lib/stages/operator.ts',
    within: 'writeBase',
    before: 'return { ...(base !== undefined && { base }), deltas, ...(deltas.length > 0 && { baseParts: deltas.length }) };',
    after: 'return { ...(base !== undefined && { base }), deltas, ...({ baseParts: deltas.length }) };',
    reason: 'A base in one blob has no further parts: whoever reads the number takes 0 for it where there is none.',
  },
  {
    file: 'lib/sinks/kafka/send-staged.ts',
    within: 'sizeOf',
    before: 'return request.reduce((sum, { batch }) => sum + batch.length, 0);',
    after: 'return request.reduce((sum, { batch }) => sum + batch.length, 1);',
    reason: 'A request holds one byte less: where one ends and the next begins does not matter.',
  },
  {
    file: 'lib/epoch/failure/isolate.ts',
    within: 'afterUserFailure',
    before: 'if (!isBounded(before) && before.failures === 0) return { ...FREE, failures: 1 };',
    after: 'if (!isBounded(before) && before.failures === 0) return { ...FREE, failures: 2 };',
    reason: 'What is asked of the number is whether it is 0.',
  },
  {
    file: 'lib/epoch/savepoint/import.ts',
    within: 'rowOf',
    before: 'const incarnation = deps.random.id().slice(0, 8);',
    after: 'const incarnation = deps.random.id();',
    reason: 'More digits of a random id do as well: names become longer.',
  },
  {
    file: 'lib/sinks/deliver/staged-rows.ts',
    within: 'RowBatches.append',
    before: 'out.u32(0);',
    after: 'out.u32(1);',
    reason: 'It holds the place of a number that is written over it when the batch ends.',
  },
  {
    file: 'lib/epoch/attempt/snapshots.ts',
    within: 'emptySnapshot',
    before: "return { id: 'empty', keyGroups, base: undefined, deltas: [] };",
    after: "return { id: 'empty', keyGroups, deltas: [] };",
    reason: 'A base that is undefined is none, as it is in a request, which is JSON.',
  },
  {
    file: 'lib/epoch/savepoint/delete.ts',
    within: 'namesNow',
    before: 'const named = new Set(await namesIn(deps, manifests, row?.lastCommitted ?? 0));',
    after: 'const named = new Set(await namesIn(deps, manifests, 0));',
    reason: 'It says whose output is named still; that is of the incarnation that wrote it, and what is deleted here is of another one.',
  },
  {
    file: 'lib/sinks/kafka/staged-output.ts',
    within: 'decodeStagedOutput',
    before: 'const headEnd = payload.length < 4 ? 0 : payload.readUInt32LE(0);',
    after: 'const headEnd = payload.length <= 4 ? 0 : payload.readUInt32LE(0);',
    reason: 'In four bytes no index ends that begins behind them: whatever they say, it is cut off.',
  },
  {
    file: 'lib/stages/source.ts',
    within: '',
    before: 'const FETCH_WAIT_MS = 200;',
    after: 'const FETCH_WAIT_MS = 0;',
    reason: 'A broker that has nothing yet answers at once, and is asked again: more requests, and the same records.',
  },
];
