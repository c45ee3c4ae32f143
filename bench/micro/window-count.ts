import {
  type DataStream,
  defineJob,
  int32,
  int64,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
} from '../../lib/api/index.ts';
import { ExchangeWriter } from '../../lib/format/exchange-writer.ts';
import type { StageContext } from '../../lib/operators/epoch-output.ts';
import { createOperatorRuntime, type OperatorRuntime } from '../../lib/operators/operator-runtime.ts';
import { compilePlan } from '../../lib/plan/compile.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const EPOCH_MS = MINUTE_MS / 2;
/** From this epoch of half a minute on the first window of an hour is full. */
export const FULL_EPOCHS = HOUR_MS / EPOCH_MS + 2;

/** A count by windows, by its name. */
type Counting = (keyed: KeyedStream<number, number>, fold: Fold) => DataStream<number>;
/** What the author's functions do. */
export interface Fold {
  readonly add: (n: number) => number;
  readonly merge: (one: number, other: number) => number;
}
export const plainFold: Fold = { add: (n) => n + 1, merge: (one, other) => one + other };

const hour = slidingWindows({ sizeMs: HOUR_MS, slideMs: MINUTE_MS });
const count = { accumulator: int64, initial: 0, result: (n: number) => n };

/** Sliding windows without a merge have an accumulator each. */
export const countings = {
  'tumbling 1 min': (keyed, { add }) => keyed.window(tumblingWindows({ sizeMs: MINUTE_MS })).aggregate('op', { ...count, add }),
  'tumbling 1 h': (keyed, { add }) => keyed.window(tumblingWindows({ sizeMs: HOUR_MS })).aggregate('op', { ...count, add }),
  'sliding 1 h by 1 min, merge': (keyed, fold) => keyed.window(hour).aggregate('op', { ...count, ...fold }),
  'sessions of 10 s': (keyed, fold) => keyed.window(sessionWindows({ gapMs: 10_000 })).aggregate('op', { ...count, ...fold }),
  'sliding 1 h by 1 min, no merge': (keyed, { add }) => keyed.window(hour).aggregate('op', { ...count, add }),
} as const satisfies Readonly<Record<string, Counting>>;
export type CountingName = keyof typeof countings;

const facts = { topics: [{ topic: 'counts', partitions: 3, maxBatchBytes: 1_048_588, compacted: false }] };
const context: StageContext = { parallelism: () => 1, maxParallelism: 128, facts: () => facts };

export function openCounting(name: CountingName, fold: Fold): OperatorRuntime {
  const job = defineJob('bench', (builder) => {
    const source = kafkaSource({ topic: 'in', value: int32, eventTime: { maxOutOfOrdernessMs: 0 } });
    const keyed = builder.source('src', source).keyBy((key) => key, int32, { value: int32 });
    countings[name](keyed, fold).sink('out', kafkaSink({ topic: 'counts', value: int64 }));
  });
  return createOperatorRuntime({ job, plan: compilePlan(job) }, 'op', context, 0);
}

/** The records of an epoch: so many of each key in a minute, in equal steps. */
export function segmentAt(epoch: number, ofKeyInMinute: number, keys: number): Buffer {
  const writer = new ExchangeWriter({ key: int32, value: int32, targets: 1, targetOf: () => 0 } as ConstructorParameters<
    typeof ExchangeWriter
  >[0]);
  writer.begin();
  const records = (ofKeyInMinute * EPOCH_MS) / MINUTE_MS;
  for (let index = 0; index < records; index++)
    for (let key = 0; key < keys; key++) writer.append(key, 1, epoch * EPOCH_MS + Math.floor((index * EPOCH_MS) / records));
  return Buffer.concat(writer.finish()[0] ?? []);
}

/** Runs an epoch, its snapshot included. Answers how many records came in, and how many results there were. */
export function runEpoch(
  runtime: OperatorRuntime,
  epoch: number,
  segment: Buffer,
): { readonly recordsIn: number; readonly results: number } {
  runtime.begin({ beforeMs: epoch * EPOCH_MS - 1, afterMs: (epoch + 1) * EPOCH_MS - 1, processingMs: epoch });
  runtime.consume(segment);
  const { edges, recordsIn } = runtime.finish();
  runtime.states.get('op')?.takeDelta();
  return { recordsIn, results: [...edges.values()].reduce((sum, { records }) => sum + records, 0) };
}
