/**
 * CPU of the word-count job in the source and the operator runtime, in nanoseconds a word, without I/O:
 *
 *     node bench/micro/operators.ts [words, default 8000000] [words in an epoch, default 1000000]
 *     node --cpu-prof --cpu-prof-dir=/tmp/profile bench/micro/operators.ts
 *
 * The best of the measured epochs is what the code costs; the mean has the collector's and the neighbours' share.
 */

import wordCount from '../../jobs/word-count.ts';
import type { StageContext } from '../../lib/operators/epoch-output.ts';
import { createOperatorRuntime } from '../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../lib/operators/source-runtime.ts';
import { compilePlan } from '../../lib/plan/compile.ts';
import { type Chunk, drawChunks } from './chunks.ts';

const TOPIC = 'flink_kafka';
const WARM_UP_EPOCHS = 2;
/** Edges of its plan. */
const EXCHANGE = 'read-lines>count-words.0';
const STAGED = 'count-words>write-counts.0';

const totalWords = Number(process.argv[2] ?? 8_000_000);
const epochWords = Number(process.argv[3] ?? 1_000_000);
const facts = { topics: [{ topic: 'flink_kafka2', partitions: 3, maxBatchBytes: 1_048_588, compacted: false }] };
const context: StageContext = { parallelism: () => 1, maxParallelism: 128, facts: () => facts };

const chunks = drawChunks(totalWords);
const compiled = { job: wordCount, plan: compilePlan(wordCount) };
const source = createSourceRuntime(compiled, 'read-lines', context);
const operator = createOperatorRuntime(compiled, 'count-words', context, 0);
const costs: { readonly part: string; readonly ns: number }[] = [];
let epochs = 0;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function measure<T>(part: string, words: () => number, run: () => T): T {
  const started = cpuMs();
  const result = run();
  if (epochs >= WARM_UP_EPOCHS) costs.push({ part, ns: ((cpuMs() - started) * 1e6) / words() });
  return result;
}

let next = 0;
while (next < chunks.length) {
  let words = 0;
  const exchange = measure(
    'source',
    () => words,
    () => {
      source.begin();
      let lines = 0;
      while (next < chunks.length && lines * 8 < epochWords) {
        const { records, from, to } = chunks[next++] as Chunk;
        lines += source.consume(TOPIC, 0, records, { from, to, aborted: [] }).records;
      }
      const output = source.finish().edges.get(EXCHANGE);
      words = output?.records ?? 0;
      return output?.parts[0];
    },
  );
  const segment = Buffer.concat(exchange ?? []);
  const staged = measure(
    'operator',
    () => words,
    () => {
      operator.begin();
      operator.consume(segment);
      return operator.finish().edges.get(STAGED)?.parts[0];
    },
  );
  const delta = measure(
    'snapshot',
    () => words,
    () => operator.states.get('count-words')?.takeDelta(),
  );
  const bytes = (parts: readonly Buffer[] | undefined) => (parts ?? []).reduce((sum, part) => sum + part.length, 0);
  if (epochs === 0) {
    console.log(
      `one epoch: ${words} words; bytes a word: exchange ${(segment.length / words).toFixed(2)}, staged ${(bytes(staged) / words).toFixed(2)}, delta ${(bytes(delta) / words).toFixed(2)}`,
    );
  }
  epochs++;
}

for (const part of ['source', 'operator', 'snapshot']) {
  const ns = costs.filter((cost) => cost.part === part).map((cost) => cost.ns);
  const mean = ns.reduce((sum, value) => sum + value, 0) / ns.length;
  console.log(
    `${part.padEnd(9)} best ${Math.min(...ns)
      .toFixed(0)
      .padStart(4)} ns a word, mean ${mean.toFixed(0).padStart(4)}`,
  );
}
