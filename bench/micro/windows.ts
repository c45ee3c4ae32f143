/**
 * CPU of a count by windows in the operator runtime, in nanoseconds a record, results and snapshots included, without I/O:
 *
 *     node bench/micro/windows.ts [records of a key in a minute, default 600] [keys, default 200] [epochs, default 40]
 *
 * An epoch is half a minute of event time. Sliding windows are of an hour, every minute: what is measured begins when the first is full.
 * Without a merge each window has an accumulator of its own.
 */

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
import { createOperatorRuntime } from '../../lib/operators/operator-runtime.ts';
import { compilePlan } from '../../lib/plan/compile.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const EPOCH_MS = MINUTE_MS / 2;
const FULL_EPOCHS = HOUR_MS / EPOCH_MS + 2;
/** Of the one without a merge: it takes so long. */
const FEW_EPOCHS = 4;

const ofKeyInMinute = Number(process.argv[2] ?? 600);
const keys = Number(process.argv[3] ?? 200);
const epochs = Number(process.argv[4] ?? 40);
const facts = { topic: 'counts', partitions: 3, maxBatchBytes: 1_048_588, compacted: false };
const context: StageContext = { parallelism: () => 1, maxParallelism: 128, facts: () => facts };

type Counting = (keyed: KeyedStream<number, number>) => DataStream<number>;
const count = { accumulator: int64, initial: 0, add: (n: number) => n + 1, result: (n: number) => n };
const merge = (one: number, other: number) => one + other;
const hour = slidingWindows({ sizeMs: HOUR_MS, slideMs: MINUTE_MS });

const countings: Readonly<Record<string, Counting>> = {
  'tumbling 1 min': (keyed) => keyed.window(tumblingWindows({ sizeMs: MINUTE_MS })).aggregate('op', count),
  'sliding 1 h by 1 min, merge': (keyed) => keyed.window(hour).aggregate('op', { ...count, merge }),
  'sessions of 10 s': (keyed) => keyed.window(sessionWindows({ gapMs: 10_000 })).aggregate('op', { ...count, merge }),
  'sliding 1 h by 1 min, no merge': (keyed) => keyed.window(hour).aggregate('op', count),
};

/** The records of an epoch: each key's come in equal steps. */
function segmentAt(epoch: number): Buffer {
  const writer = new ExchangeWriter({ key: int32, value: int32, targets: 1, targetOf: () => 0 } as ConstructorParameters<
    typeof ExchangeWriter
  >[0]);
  writer.begin();
  const records = (ofKeyInMinute * EPOCH_MS) / MINUTE_MS;
  for (let index = 0; index < records; index++)
    for (let key = 0; key < keys; key++) writer.append(key, 1, epoch * EPOCH_MS + Math.floor((index * EPOCH_MS) / records));
  return Buffer.concat(writer.finish()[0] ?? []);
}

function measure(name: string, counting: Counting, isSlow: boolean): void {
  const job = defineJob('bench', (builder) => {
    const source = kafkaSource({ topic: 'in', value: int32, eventTime: { maxOutOfOrdernessMs: 0 } });
    counting(builder.source('src', source).keyBy((key) => key, int32, { value: int32 })).sink(
      'out',
      kafkaSink({ topic: 'counts', value: int64 }),
    );
  });
  const runtime = createOperatorRuntime({ job, plan: compilePlan(job) }, 'op', context, 0);
  const costs: number[] = [];
  let results = 0;
  const first = isSlow ? FULL_EPOCHS - FEW_EPOCHS : 0;
  for (let epoch = first; epoch < FULL_EPOCHS + (isSlow ? FEW_EPOCHS : epochs); epoch++) {
    const segment = segmentAt(epoch);
    const started = process.cpuUsage();
    runtime.begin({ beforeMs: epoch * EPOCH_MS - 1, afterMs: (epoch + 1) * EPOCH_MS - 1, processingMs: epoch });
    runtime.consume(segment);
    const { edges, recordsIn } = runtime.finish();
    runtime.states.get('op')?.takeDelta();
    const { user, system } = process.cpuUsage(started);
    if (epoch < FULL_EPOCHS) continue;
    costs.push(((user + system) * 1_000) / recordsIn);
    for (const { records } of edges.values()) results += records;
  }
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  const figures = [Math.min(...costs), mean].map((cost) => cost.toFixed(0).padStart(6));
  console.log(`${name.padEnd(32)} best ${figures[0]}, mean ${figures[1]} ns a record; ${results} results`);
}

for (const [name, counting] of Object.entries(countings)) measure(name, counting, name.endsWith('no merge'));
