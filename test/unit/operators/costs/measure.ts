/**
 * What the word count costs in the source and the operator runtime, besides time: prints one line of JSON. It runs in a
 * process of its own, with a young generation so large that nothing is collected while it counts:
 *
 *     node --expose-gc --min-semi-space-size=128 --max-semi-space-size=128 test/unit/operators/costs/measure.ts
 */
import { type Chunk, drawChunks } from '../../../../bench/micro/chunks.ts';
import wordCount from '../../../../jobs/word-count.ts';
import type { StageContext } from '../../../../lib/operators/epoch-output.ts';
import { createOperatorRuntime } from '../../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../../lib/operators/source-runtime.ts';
import { compilePlan } from '../../../../lib/plan/compile.ts';

/** What `costs.test.ts` sets bounds to. Of one epoch, the median of several. */
export interface Costs {
  readonly words: number;
  /** Objects on the heap, and memory outside of it, made in the stage for each word. */
  readonly sourceHeapBytesPerWord: number;
  readonly operatorHeapBytesPerWord: number;
  readonly snapshotHeapBytesPerKey: number;
  readonly bufferBytesPerWord: number;
  /** What is stored and sent. */
  readonly exchangeBytesPerWord: number;
  readonly stagedBytesPerWord: number;
  readonly deltaBytesPerKey: number;
}

const WARM_UP_EPOCHS = 12;
const COUNTED_EPOCHS = 5;
const CHUNK_BYTES = 128 * 1024;
const WORDS = 350_000;
/** Edges of its plan. */
const EXCHANGE = 'read-lines>count-words.0';
const STAGED = 'count-words>write-counts.0';

const facts = { topics: [{ topic: 'flink_kafka2', partitions: 3, maxBatchBytes: 1_048_588, compacted: false }] };
const context: StageContext = { parallelism: () => 1, maxParallelism: 128, facts: () => facts };
const compiled = { job: wordCount, plan: compilePlan(wordCount) };
const source = createSourceRuntime(compiled, 'read-lines', context);
const operator = createOperatorRuntime(compiled, 'count-words', context, 0);
const collect = globalThis.gc;
if (collect === undefined) throw new Error('run it with --expose-gc');

const epochs: Costs[] = [];
for (const chunk of drawChunks(WORDS, CHUNK_BYTES).slice(0, WARM_UP_EPOCHS + COUNTED_EPOCHS)) epochs.push(await runEpoch(chunk));
const counted = epochs.slice(WARM_UP_EPOCHS);
if (counted.length < COUNTED_EPOCHS) throw new Error(`only ${epochs.length} epochs were run`);
const names = Object.keys(counted[0] ?? {}) as (keyof Costs)[];
console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, medianOf(counted.map((costs) => costs[name]))]))));

async function runEpoch({ records, from, to }: Chunk): Promise<Costs> {
  collect?.();
  const start = process.memoryUsage();
  source.begin();
  source.consume('flink_kafka', 0, records, { from, to, aborted: [] });
  const exchange = source.finish().edges.get(EXCHANGE);
  const afterSource = process.memoryUsage();
  const segment = Buffer.concat(exchange?.parts[0] ?? []);

  const beforeOperator = process.memoryUsage();
  operator.begin();
  operator.consume(segment);
  const staged = operator.finish().edges.get(STAGED)?.parts[0] ?? [];
  const afterOperator = process.memoryUsage();
  const delta = operator.states.get('count-words')?.takeDelta() ?? [];
  const afterSnapshot = process.memoryUsage();

  const words = exchange?.records ?? 0;
  const keys = keysIn(segment);
  const buffers = afterSource.arrayBuffers - start.arrayBuffers + (afterSnapshot.arrayBuffers - beforeOperator.arrayBuffers);
  // What was made late in one epoch is let go before the next one is measured.
  await new Promise((resolve) => setImmediate(resolve));
  return {
    words,
    sourceHeapBytesPerWord: (afterSource.heapUsed - start.heapUsed) / words,
    operatorHeapBytesPerWord: (afterOperator.heapUsed - beforeOperator.heapUsed) / words,
    snapshotHeapBytesPerKey: (afterSnapshot.heapUsed - afterOperator.heapUsed) / keys,
    bufferBytesPerWord: buffers / words,
    exchangeBytesPerWord: segment.length / words,
    stagedBytesPerWord: lengthOf(staged) / words,
    deltaBytesPerKey: lengthOf(delta) / keys,
  };
}

/** The header of a segment begins with the number of its keys. */
function keysIn(segment: Buffer): number {
  return segment.readUInt32LE(0);
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
