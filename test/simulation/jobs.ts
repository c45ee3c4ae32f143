import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import type { StartingOffsets } from '../../lib/config/starting-offsets.ts';
import type { JobDefinition } from '../../lib/graph/job.ts';
import { faultless, type UserCode } from './user-code.ts';

/** Two builds of one job: each is right by itself, and an epoch that both worked on is wrong. */
export type Build = 'a' | 'b';

/** What a job must make of its input, said once more and simply. */
export interface SimJob {
  readonly name: string;
  define(build: Build, startingOffsets: StartingOffsets, code?: UserCode): JobDefinition;
  /** By sink uid. */
  readonly sinks: Readonly<Record<string, SinkRule>>;
  /** By uid of the keyed operator: the keys that it counts in a line. */
  readonly counters: Readonly<Record<string, (line: string) => string[]>>;
}

export interface SinkRule {
  readonly topic: string;
  /** `counts`: `key:::n` for the n-th occurrence of each key; `lines`: what `of` makes of each line. */
  readonly writes: 'counts' | 'lines';
  readonly of: (line: string) => string[];
}

export const INPUT = 'input';
export const JOB = 'job';

/** A line is words, and last a token that makes it unique. */
const words = (line: string) => line.split(' ').filter((word) => !word.startsWith('#'));
const wordsBy = (code: UserCode) => (line: string) => {
  for (const word of words(line)) code.check('source', word);
  return words(line);
};
const upperBy = (code: UserCode) => (line: string) => {
  wordsBy(code)(line);
  return line.toUpperCase();
};
const letters = (line: string) => words(line).map((word) => word.slice(0, 1));

/** What crosses the exchange differs between the builds: ones, or tens that the operator divides again. */
interface Weighted {
  readonly word: string;
  readonly weight: number;
}

const unit = (build: Build) => (build === 'a' ? 1 : 10);
const weighted =
  (build: Build) =>
  (word: string): Weighted => ({ word, weight: unit(build) });

function counting(build: Build, code: UserCode) {
  return {
    state: { count: valueState(int64, 0) },
    onRecord({ word, weight }: Weighted, { count }: { count: { update(fn: (n: number) => number): number } }, out: Output<string>) {
      const times = Math.max(1, Math.round(weight / unit(build)));
      for (let time = 0; time < times; time++) out.emit(`${word}:::${count.update((n) => n + 1)}`);
      // Only now: what it has done to the state and sent on must be gone with the attempt.
      code.check('operator', word);
    },
  };
}

const wordCount: SimJob = {
  name: 'word-count',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(wordsBy(code))
        .map(weighted(build))
        .keyBy(({ word }) => word, utf8)
        .process('count', counting(build, code))
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
  sinks: { write: { topic: 'output', writes: 'counts', of: words } },
  counters: { count: words },
};

/** A sink straight behind the source, and one behind the count. */
const twoSinks: SimJob = {
  name: 'two-sinks',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }));
      lines.map(upperBy(code)).sink('copy', kafkaSink({ topic: 'copies', value: utf8 }));
      lines
        .flatMap(wordsBy(code))
        .map(weighted(build))
        .keyBy(({ word }) => word, utf8)
        .process('count', counting(build, code))
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
  sinks: {
    copy: { topic: 'copies', writes: 'lines', of: (line) => [line.toUpperCase()] },
    write: { topic: 'output', writes: 'counts', of: words },
  },
  counters: { count: words },
};

/** No keyed stage. */
const copying: SimJob = {
  name: 'copying',
  define: (_build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .map(upperBy(code))
        .sink('copy', kafkaSink({ topic: 'copies', value: utf8 }));
    }),
  sinks: { copy: { topic: 'copies', writes: 'lines', of: (line) => [line.toUpperCase()] } },
  counters: {},
};

/** Two keyed stages, one behind the other. */
const twoCounts: SimJob = {
  name: 'two-counts',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const counted = job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(wordsBy(code))
        .map(weighted(build))
        .keyBy(({ word }) => word, utf8)
        .process('count', counting(build, code));
      counted.sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      counted
        .map((text) => weighted(build)(text.slice(0, 1)))
        .keyBy(({ word }) => word, utf8)
        .process('count-letters', counting(build, code))
        .sink('write-letters', kafkaSink({ topic: 'letters', value: utf8 }));
    }),
  sinks: {
    write: { topic: 'output', writes: 'counts', of: words },
    'write-letters': { topic: 'letters', writes: 'counts', of: letters },
  },
  counters: { count: words, 'count-letters': letters },
};

export const simJobs: readonly SimJob[] = [wordCount, wordCount, twoSinks, copying, twoCounts];
