/** A process of `npm run bench:state`: what is measured in it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { systemClock, systemRandom } from '../host/system.ts';
import { defineJob, int32, int64, kafkaSink, kafkaSource, utf8, valueState } from '../lib/api/index.ts';
import { ExchangeWriter } from '../lib/format/exchange-writer.ts';
import { compilePlan } from '../lib/plan/compile.ts';
import type { SnapshotRef } from '../lib/protocol/references.ts';
import type { OperatorRequest } from '../lib/protocol/requests.ts';
import { openSpilledRows } from '../lib/sqlite/sqlite-spilled-rows.ts';
import { received } from '../lib/stages/received.ts';
import { createOperatorServer } from '../lib/stages/serve.ts';
import { createBlobs } from '../lib/storage/blobs.ts';
import { createFileBlobStore } from '../lib/storage/file-blob-store.ts';

const FILL_ROWS = 100_000;
/** So many keys of each hundred get nine of ten rows. */
const HOT_SHARE = 0.01;
const HOT_ROWS = 0.9;

const KINDS = ['uniform', 'skewed'] as const;
type Kind = (typeof KINDS)[number];

export interface Setting {
  readonly folder: string;
  readonly keys: number;
  readonly rows: number;
  readonly epochs: number;
  readonly boundBytes: number | undefined;
  /** Has each key a timer that is not due yet? */
  readonly timers: boolean;
  /** `fill`: keys get state, and epochs run. A number of rows: a process begins with what was filled. */
  readonly what: 'fill' | number;
}

export interface Figures {
  /** Of processor time: other work of the machine does not change it much. So are all times here. */
  readonly rowsPerSecond: Readonly<Record<Kind, number>>;
  /** The longest epoch: one with a base. */
  readonly longestMs: number;
  readonly restartMs: number;
  readonly peakMb: number;
  /** What is left when all garbage is collected behind the last epoch, less what the process had before the first. */
  readonly liveMb: number;
}

async function measured({ folder, keys, rows, epochs, boundBytes, timers, what }: Setting): Promise<Figures> {
  mkdirSync(join(folder, 'blobs'), { recursive: true });
  const running = new Running(folder, boundBytes, timers);
  const idleBytes = await liveBytes();
  const rowsPerSecond = { uniform: 0, skewed: 0 };
  let longestMs = 0;
  let restartMs = 0;
  if (what === 'fill') {
    for (let from = 0; from < keys; from += FILL_ROWS) await running.run(keysFrom(from, Math.min(keys, from + FILL_ROWS)));
    for (const kind of KINDS) {
      let sumMs = 0;
      for (let epoch = 0; epoch < epochs; epoch++) {
        const ms = await running.run(drawn(kind, rows, keys));
        sumMs += ms;
        longestMs = Math.max(longestMs, ms);
      }
      rowsPerSecond[kind] = (rows * epochs * 1000) / sumMs;
    }
    running.save();
  } else {
    restartMs = await running.run(drawn('uniform', what, keys));
  }
  const leftBytes = await liveBytes();
  const peakKb = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return {
    rowsPerSecond,
    longestMs,
    restartMs,
    peakMb: Math.round(Number(peakKb) / 1000),
    liveMb: Math.round((leftBytes - idleBytes) / 1e6),
  };
}

/** The process has --expose-gc. Buffers are freed behind a collection, and what they have held by the next one. */
async function liveBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await setTimeout(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function* keysFrom(first: number, end: number): Generator<number> {
  for (let key = first; key < end; key++) yield key;
}

let seed = 1;
/** In [0, 1): the same in every run. */
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

function* drawn(kind: Kind, rows: number, keys: number): Generator<number> {
  for (let row = 0; row < rows; row++) {
    const among = kind === 'skewed' && random() < HOT_ROWS ? keys * HOT_SHARE : keys;
    yield Math.floor(random() * among);
  }
}

const state = { count: valueState(int64, 0) };
const job = defineJob('bench', (builder) => {
  builder
    .source('src', kafkaSource({ topic: 'in', value: utf8 }))
    .keyBy((key) => key, utf8, { value: utf8 })
    .process('op', {
      state,
      onRecord(_value, { count }) {
        count.update((n) => n + 1);
      },
    })
    .sink('out', kafkaSink({ topic: 'counts', value: int32 }));
});
/** As above, and the first row of a key sets a timer. */
const jobWithTimers = defineJob('bench', (builder) => {
  builder
    .source('src', kafkaSource({ topic: 'in', value: utf8 }))
    .keyBy((key) => key, utf8, { value: utf8 })
    .process('op', {
      timers: 'processing-time',
      state,
      onRecord(_value, { count }, _out, { timers, processingTimeMs }) {
        if (count.update((n) => n + 1) === 1) timers.setProcessingTime(processingTimeMs + DAY_MS);
      },
      onTimer() {},
    })
    .sink('out', kafkaSink({ topic: 'counts', value: int32 }));
});
const DAY_MS = 86_400_000;

/** One operator subtask, and where its last snapshot is. */
class Running {
  readonly #file: string;
  readonly #blobs;
  readonly #tools;
  readonly #server = createOperatorServer();
  readonly #keyGroups = { first: 0, last: 127 };
  #epoch = 1;
  #snapshot: SnapshotRef;

  constructor(folder: string, boundBytes: number | undefined, timers: boolean) {
    const runs = timers ? jobWithTimers : job;
    this.#file = join(folder, 'snapshot.json');
    this.#blobs = createBlobs(createFileBlobStore({ folder: join(folder, 'blobs') }), systemRandom);
    this.#tools = {
      ...{
        job: runs,
        plan: compilePlan(runs),
        build: 'bench',
        blobs: this.#blobs,
        clock: systemClock,
        random: systemRandom,
        inlineBlobBytes: 16_384,
      },
      stateBound: boundBytes === undefined ? undefined : { boundBytes, openRows: openSpilledRows },
    };
    this.#snapshot = readSnapshot(this.#file) ?? { id: 'empty', keyGroups: this.#keyGroups, deltas: [] };
  }

  /** Runs an epoch, and answers how many milliseconds of processor time it took, its snapshot included. */
  async run(keys: Iterable<number>): Promise<number> {
    const place = { job: 'bench', incarnation: 'bench', stage: 'op', subtask: 0, epoch: this.#epoch++ };
    const writer = new ExchangeWriter({ key: utf8, value: utf8, targets: 1, targetOf: () => 0 } as ConstructorParameters<
      typeof ExchangeWriter
    >[0]);
    writer.begin();
    for (const key of keys) {
      const text = `key-${key}`;
      writer.append(text, text, 0);
    }
    const ref = await this.#blobs.write(place, 'exchange', 'exchange', writer.finish()[0] ?? [], Number.POSITIVE_INFINITY);
    const request = {
      ...{ ask: 'process', build: 'bench', version: 2, ...place, decisionId: `${place.epoch}`, timeoutMs: 600_000 },
      ...{ parallelism: {}, maxParallelism: 128, meeting: { exchanges: 1, staged: 1, snapshots: 1 }, keyGroups: this.#keyGroups },
      inputs: [{ edge: 'src>op.0', input: 0, ref }],
      snapshots: { op: [this.#snapshot] },
      time: { processingMs: this.#epoch },
      sinkFacts: { out: { topics: [{ topic: 'counts', partitions: 1, maxBatchBytes: 1_000_000, compacted: false }] } },
    } as unknown as OperatorRequest;
    const before = process.cpuUsage();
    const answer = await this.#server(this.#tools, received(request, systemClock.elapsedMs()));
    if (answer.outcome !== 'processed') throw new Error(JSON.stringify(answer));
    this.#snapshot = answer.snapshots['op'] as SnapshotRef;
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }

  save(): void {
    writeFileSync(this.#file, JSON.stringify(this.#snapshot));
  }
}

function readSnapshot(file: string): SnapshotRef | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SnapshotRef;
  } catch {
    return undefined;
  }
}

process.send?.(await measured(JSON.parse(process.argv[2] as string) as Setting));
