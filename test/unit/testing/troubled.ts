import type { JobDefinition } from '../../../lib/graph/job.ts';
import { type InputRecord, type TestJob, testJob } from '../../../lib/testing/index.ts';

/** What a job is given: to which source, and which record. */
export type Input = readonly { readonly to: string; readonly record: InputRecord<unknown, unknown> }[];

interface Course {
  readonly job: JobDefinition;
  readonly input: Input;
  readonly partitions: Readonly<Record<string, number>>;
  /** Of the processing time. @default 0 */
  readonly startMs?: number;
  /** When all input has been read: what has the last times come. */
  readonly end?: (test: TestJob) => Promise<unknown>;
}

/** All input in one epoch, nothing goes wrong. */
export async function untroubled({ job, input, partitions, startMs = 0, end }: Course, parallelism = 1): Promise<TestJob> {
  const test = testJob(job, { partitions, startMs, parallelism });
  for (const { to, record } of input) test.pushRecords(to, record);
  await test.runUntilIdle();
  await end?.(test);
  return test;
}

/** The same input, cut at random, with crashes at random, and every now and then at another parallelism. */
export async function troubled({ job, input, partitions, startMs = 0, end }: Course, seed: number, mostSubtasks = 3): Promise<TestJob> {
  const random = mulberry32(seed);
  const upTo = (most: number) => 1 + Math.floor(random() * most);
  const stages = ['decision', ...job.nodes.flatMap((node) => ('uid' in node ? [node.uid] : []))];
  const test = testJob(job, { partitions, startMs, parallelism: upTo(mostSubtasks) });
  const left = [...input];
  while (left.length > 0) {
    for (const { to, record } of left.splice(0, upTo(input.length / 4))) test.pushRecords(to, record);
    for (let steps = upTo(3); steps > 0; steps--) {
      const what = random();
      const maxRecords = upTo(6);
      const before = stages[upTo(stages.length) - 1] ?? 'decision';
      if (what < 0.3) await test.crash({ before, of: what < 0.15 ? 'everything' : 'coordinator', maxRecords });
      else if (what < 0.45) test.restore({ parallelism: upTo(mostSubtasks) });
      else await test.runEpoch({ maxRecords });
    }
  }
  await test.crash();
  await test.runUntilIdle({ maxRecords: upTo(9) });
  await test.crash();
  await end?.(test);
  return test;
}

/** Numbers in [0, 1), the same for the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
