import type { ConsoleDeps } from '../../console/server/deps.ts';
import { bytes } from '../../lib/format/serdes.ts';
import type { AttemptFailure, EpochRow, EpochStore, JobRow } from '../../lib/ports/epoch-store.ts';
import { type FetchedPartition, type FetchRange, KafkaProblem, type KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';
import { memoryKafka } from '../../lib/testing/memory-kafka.ts';
import { MemoryTopics } from '../../lib/testing/memory-topics.ts';

/*
 * Jobs that a console of the tests shows, out of rows that are made here: the page is the same whoever wrote them.
 */

/** What would run a script, if it ever became HTML. */
export const HOSTILE = '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>';

const JOB = 'word-count';
const LETTERS = 'dead-letters';

export interface ShownJob {
  readonly subtasks?: number;
  readonly epochs?: number;
  readonly row?: Partial<JobRow>;
  /** Texts that a user, or a record, may have made. */
  readonly text?: string;
  readonly change?: Partial<ConsoleDeps>;
}

/** A job that runs, and moves on by an epoch a second. */
export function shownJob({ subtasks = 4, epochs = 120, row = {}, text, change = {} }: ShownJob = {}): ConsoleDeps {
  const begin = Date.now() - epochs * 1_000;
  const newest = () => Math.floor((Date.now() - begin) / 1_000);
  const output = text ?? 'counts';
  const rowNow = (): JobRow => ({
    job: JOB,
    incarnation: '5f0c2a9be14d4e6f',
    generation: 6,
    holder: `host-a process 4711${text === undefined ? '' : ` ${text}`}`,
    leaseExpiresAtMs: Date.now() + 12_000,
    desired: 'running',
    failure: undefined,
    lastCompleted: { epoch: newest(), decisionId: `d${newest()}` },
    lastCommitted: newest() - 1,
    retiredThrough: newest() - 4,
    pool: { kafka: { 'write-counts': { subtasks, places: [output] } } },
    scale: {
      'read-lines': { subtasks: Math.min(4, subtasks), least: 1, most: 8 },
      'count-words': {
        subtasks,
        least: 1,
        most: 64,
        since: { epoch: Math.floor((newest() - 80) / 100) * 100 + 80, atMs: Date.now() - 40_000, why: text ?? BACKLOG },
      },
      'write-counts': { subtasks, least: 1, most: 64 },
    },
    fingerprint: 'f',
    maxParallelism: 128,
    ...row,
  });
  const store: Partial<EpochStore> = {
    readJob: async () => rowNow(),
    readEpoch: async (_job, _incarnation, epoch) => epochRow(epoch, begin, subtasks, text),
    listEpochs: async (_job, _incarnation, after) => {
      const last = rowNow().lastCompleted?.epoch ?? -1;
      const first = Math.max(after + 1, last - 999, 0);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => epochRow(first + index, begin, subtasks, text));
    },
    listSavepoints: async () => [
      {
        ...{ job: JOB, name: 'before-2.0', id: 'one', standing: 'complete', createdAtMs: begin + 30_000, incarnation: '5f0c2a9be14d4e6f' },
        ...{
          epoch: 30,
          decisionId: 'd30',
          fingerprint: 'f',
          maxParallelism: 128,
          manifest: { at: 'row', manifest: manifestOf(30, subtasks, text) },
        },
      },
    ],
  };
  return {
    job: JOB,
    table: 'onceflow',
    module: {
      is: 'loaded',
      job: { graph: { job: JOB, nodes: [], edges: [] }, plan: planOf(output), parallelism: parallelismOf(subtasks) },
    },
    deadLetterTopic: LETTERS,
    epochs: store as EpochStore,
    clock: {
      now: () => Date.now(),
      elapsedMs: () => Math.floor(performance.now()),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    },
    random: { id: () => 'random', fraction: () => 0 },
    kafka: async () => brokers(subtasks, output, newest, text),
    blobStore: async () => {
      throw new Error('no blob is read');
    },
    owners: async () => undefined,
    act: async (call) => ({ is: 'done', text: `onceflow ${call.join(' ')}: done` }),
    ...change,
  };
}

/** A job that nobody knows. */
export function missingJob(): ConsoleDeps {
  const deps = shownJob();
  const none: Partial<EpochStore> = { readJob: async () => undefined, listSavepoints: async () => [] };
  return { ...deps, module: undefined, deadLetterTopic: undefined, epochs: { ...deps.epochs, ...none } };
}

/** One that was just started: it has its starting offsets, and no input yet. */
export function emptyJob(): ConsoleDeps {
  const deps = shownJob({ row: { lastCompleted: { epoch: 0, decisionId: 'd0' }, lastCommitted: 0, retiredThrough: -1 } });
  const nowMs = Date.now() - 20_000;
  const first = {
    ...epochRow(0, nowMs, 4, undefined),
    summary: { plannedAtMs: nowMs, decidedAtMs: nowMs, attempts: 1, recordsIn: 0, recordsOut: 0 },
  };
  const store: Partial<EpochStore> = {
    readEpoch: async () => first,
    listEpochs: async (_job, _incarnation, after) => (after < 0 ? [first] : []),
    listSavepoints: async () => [],
  };
  return { ...deps, deadLetterTopic: undefined, epochs: { ...deps.epochs, ...store } };
}

export const FAILURE = `topic lines, partition 3, offset 4711: this record alone failed 5 times in a row in count-words of stage count-words (ONCEFLOW_POISON_ATTEMPTS): TypeError: Cannot read properties of undefined (reading 'length'). The job stops here and skips nothing. Mend the function and start the job again; or have such records left out (ONCEFLOW_POISON_POLICY=dead-letter); or have them tried for ever (ONCEFLOW_POISON_ATTEMPTS=unlimited).
TypeError: Cannot read properties of undefined (reading 'length')
    at onRecord (file:///home/me/shop/src/job.ts:14:31)
    at takeRow (file:///home/me/shop/node_modules/onceflow/dist/lib/operators/kinds/process.js:87:7)
    at OperatorRuntime.consume (file:///home/me/shop/node_modules/onceflow/dist/lib/operators/operator-runtime.js:142:5)`;

/** One that stopped at a record. */
export function failedJob(): ConsoleDeps {
  return shownJob({
    row: { failure: FAILURE, leaseExpiresAtMs: 0, lastCompleted: { epoch: 120, decisionId: 'd120' }, lastCommitted: 120 },
  });
}

/** One that fails at the same record again and again: it was said eight seconds ago, whenever one looks. */
export function failingJob(): ConsoleDeps {
  const nowMs = Date.now();
  const plannedAtMs = nowMs - 21_000;
  const deps = shownJob({
    row: {
      lastCompleted: { epoch: 120, decisionId: 'd120' },
      lastCommitted: 119,
      noProgress: { generation: 6, sinceMs: nowMs - 31_000, failuresInARow: 2, lastError: 'epoch 121, stage count-words: TypeError' },
      underWay: {
        generation: 6,
        atMs: nowMs - 8_000,
        attempts: [
          {
            ...{ epoch: 120, attempt: 1, plannedAtMs: plannedAtMs - 5_000, phase: 'committing' },
            stages: {
              'read-lines': { afterMs: 4, ms: 130 },
              'count-words': { afterMs: 140, ms: 210 },
              'write-counts': { afterMs: 352, ms: 90 },
            },
          },
          {
            ...{ epoch: 121, attempt: 3, plannedAtMs, phase: 'working' },
            stages: { 'read-lines': { afterMs: 5, ms: 145 }, 'count-words': { afterMs: 150 } },
          },
        ],
        failed: failuresOf(121, plannedAtMs, undefined),
      },
    },
  });
  return { ...deps, clock: { ...deps.clock, now: () => nowMs } };
}

/** Two attempts of an epoch that came to nothing: a broker was away, then a record did not suit the job's code. */
function failuresOf(epoch: number, plannedAtMs: number, text: string | undefined): AttemptFailure[] {
  const error = `TypeError: ${text ?? "Cannot read properties of undefined (reading 'length')"}`;
  return [
    {
      ...{ atMs: plannedAtMs - 1_900, epoch, stage: 'read-lines', kind: 'transient' },
      message: text ?? 'the broker 127.0.0.1:9092 does not answer: connect ECONNREFUSED',
    },
    {
      ...{ atMs: plannedAtMs - 900, epoch, stage: 'count-words', kind: 'user-code', message: `count-words: ${error}` },
      stack: `${error}\n    at onRecord (file:///home/me/shop/src/job.ts:14:31)\n    at takeRow (file:///home/me/shop/node_modules/onceflow/dist/lib/operators/kinds/process.js:87:7)`,
      input: [{ topic: text ?? 'lines', partition: 3, from: epoch * 5_000 + 11, bound: epoch * 5_000 + 12 }],
    },
  ];
}

/** What is wrong with whoever is asked. */
export function brokersAway(): Partial<ConsoleDeps> {
  return {
    kafka: async () => {
      throw new KafkaProblem('NONE', 'no broker of 127.0.0.1:9092 answers: connect ECONNREFUSED 127.0.0.1:9092', true);
    },
  };
}

const BACKLOG = 'a backlog of 34 s at the rate of the last epochs';

function epochRow(epoch: number, begin: number, subtasks: number, text: string | undefined): EpochRow {
  const jitter = (epoch * 37) % 90;
  const plannedAtMs = begin + epoch * 1_000 - 620 - jitter;
  const read = { afterMs: 4, ms: 130 + jitter };
  const count = { afterMs: read.ms + 8, ms: 210 + (epoch % 7) * 12 };
  const write = { afterMs: count.afterMs + count.ms + 6, ms: 120 + (epoch % 5) * 9 };
  const records = 20_000 + (epoch % 60) * 250;
  const summary = {
    plannedAtMs,
    decidedAtMs: plannedAtMs + write.afterMs + write.ms + 5,
    ...(epoch % 17 === 0 && epoch > 0 ? { attempts: 3, failed: failuresOf(epoch, plannedAtMs, text) } : { attempts: 1 }),
    recordsIn: records,
    recordsOut: records * 6,
    stages: { 'read-lines': read, 'count-words': count, 'write-counts': write },
    edges: { 'read-lines>count-words.0': records * 6, 'count-words>write-counts.0': records * 6 },
    before: { decisionMs: 9 + (epoch % 4), commitMs: 38 + (epoch % 9) * 4 },
    ...(epoch % 100 === 80 && {
      rescaled: [{ stage: 'count-words', from: Math.max(1, subtasks / 2), to: subtasks, why: text ?? BACKLOG }],
    }),
  };
  return { epoch, decisionId: `d${epoch}`, manifest: { at: 'row', manifest: manifestOf(epoch, subtasks, text) }, summary };
}

function manifestOf(epoch: number, subtasks: number, text: string | undefined): Manifest {
  const partitions = Array.from({ length: subtasks }, (_, partition) => epoch * 5_000 + partition);
  const nowMs = Date.now();
  const snapshot = (subtask: number) => ({
    id: `s${epoch}-${subtask}`,
    keyGroups: { first: subtask * 2, last: subtask * 2 + 1 },
    base: { at: 'store' as const, name: `b${subtask}`, bytes: 1_400_000 + subtask * 31_000 },
    deltas: [{ at: 'store' as const, name: `d${subtask}`, bytes: 42_000 }],
  });
  return {
    version: 3,
    ...{ job: JOB, incarnation: '5f0c2a9be14d4e6f', epoch, decisionId: `d${epoch}`, parentDecisionId: `d${epoch - 1}` },
    offsets: { 'read-lines': { [text ?? 'lines']: partitions } },
    state: { 'count-words': Array.from({ length: subtasks }, (_, subtask) => snapshot(subtask)) },
    time: {
      processingMs: nowMs,
      stages: { 'count-words': nowMs - 4_000 },
      sources: {
        'read-lines': {
          watermarkMs: nowMs - 4_000,
          idleAfterMs: 30_000,
          partitions: {
            [text ?? 'lines']: partitions.map((_, partition) => ({
              watermarkMs: nowMs - 2_000 - (partition % 5) * 500,
              activeMs: nowMs - (partition % 7 === 6 ? 60_000 : 500),
            })),
          },
        },
      },
    },
    outputs: {},
    committables: [],
  };
}

function planOf(output: string): Extract<NonNullable<ConsoleDeps['module']>, { readonly is: 'loaded' }>['job']['plan'] {
  return {
    job: JOB,
    stages: [
      { kind: 'source', id: 'read-lines', topic: 'lines', startingOffsets: 'earliest' },
      { kind: 'operator', id: 'count-words', operators: ['count-words'] },
      { kind: 'sink', id: 'write-counts', to: { kind: 'kafka', topics: [output], delivery: 'exactly-once' } },
    ] as never,
    edges: [
      { id: 'read-lines>count-words.0', from: 'read-lines', to: 'count-words', input: 0, how: 'key' },
      { id: 'count-words>write-counts.0', from: 'count-words', to: 'write-counts', input: 0, how: 'sink' },
    ],
  };
}

function parallelismOf(subtasks: number) {
  return {
    'read-lines': { least: 1, most: 8 },
    'count-words': { least: 1, most: 64 },
    'write-counts': { least: 1, most: Math.max(64, subtasks) },
  } as never;
}

/** Brokers that answer what a console asks, and nothing else. */
function brokers(partitions: number, output: string, newest: () => number, text: string | undefined): KafkaRequests {
  const dead = deadLetters(text);
  const stable = (partition: number) => newest() * 5_000 + 1_000 + partition;
  const asked: Partial<KafkaRequests> = {
    partitionCount: async (topic) => (topic === LETTERS ? 1 : partitions),
    offsets: async (topic, of, at) =>
      topic === LETTERS
        ? dead.offsets(topic, of, at)
        : of.map((partition) => (at === 'earliest' ? 0 : stable(partition) + (at === 'end' && partition === 1 ? 40 : 0))),
    fetch: async (ranges, limits) =>
      ranges[0]?.topic === LETTERS
        ? dead.fetch(ranges, limits)
        : ranges.map((range) => fetched(range, stable(range.partition), partitions)),
    describeTransactions: async (ids) =>
      ids.map((transactionalId, index) => ({
        transactionalId,
        ...(index % 2 === newest() % 2
          ? {
              state: 'Ongoing' as const,
              startedAtMs: Date.now() - 180,
              partitions: [{ topic: output, partition: Math.floor(index / 2) % partitions }],
            }
          : { state: 'CompleteCommit' as const, startedAtMs: undefined, partitions: [] }),
        ...{ producerId: `${1_000 + index}`, producerEpoch: 1, timeoutMs: 600_000 },
      })) as never,
    leaders: async () => Array.from({ length: partitions }, () => 1),
    describeProducers: async () => ({ answer: 'NONE', producers: [] }),
    forgetLeaders: () => undefined,
  };
  return asked as KafkaRequests;
}

/** Three letters, the last of which may hold what a user, or a record, has made. */
function deadLetters(text: string | undefined): KafkaRequests {
  const topics = new MemoryTopics(() => 1);
  for (const [at, own] of ['42', '1,5', text ?? 'n/a'].entries()) {
    const error = `RangeError: ${own} is no count`;
    const said = {
      ...{ job: JOB, epoch: 90 + at, topic: text ?? 'lines', partition: at, offset: 4_711 + at, timestamp: 1_790_000_000_000 },
      ...{ stage: 'count-words', operator: 'count-words', attempts: 3, 'error.class': 'RangeError', 'error.message': `${own} is no count` },
      'error.stack': `${error}\n    at onRecord (file:///home/me/shop/src/job.ts:14:31)`,
    };
    const headers = Object.entries(said).map(([name, value]) => ({ key: `onceflow.${name}`, value: Buffer.from(`${value}`) }));
    const record = { key: Buffer.from(own), value: Buffer.from(`count ${own}`), timestamp: said.timestamp, headers };
    topics.append(LETTERS, 0, record, { key: bytes, value: bytes });
  }
  return memoryKafka(topics);
}

function fetched({ topic, partition }: FetchRange, stable: number, partitions: number): FetchedPartition {
  const open = partition % 3 === 0 ? Math.floor(4_800 / partitions) : 0;
  return {
    topic,
    partition,
    answer: 'NONE',
    logStartOffset: 0,
    highWatermark: stable + open,
    lastStableOffset: stable,
    aborted: [],
    records: Buffer.alloc(0),
  };
}
