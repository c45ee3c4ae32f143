import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import type { StartingOffsets } from '../../lib/config/starting-offsets.ts';
import type { JobDefinition } from '../../lib/graph/job.ts';
import { faultless, type UserCode } from './user-code.ts';

/**
 * Two builds of one job: each is right by itself, and an epoch that both worked on is wrong. They also name transactions
 * by different rules (`models/other-names.ts`).
 */
export type Build = 'a' | 'b';

/** What a job must make of its input, said once more and simply. */
export interface SimJob {
  readonly name: string;
  define(build: Build, startingOffsets: StartingOffsets, code?: UserCode): JobDefinition;
  /** By source uid, its topic. */
  readonly sources: Readonly<Record<string, string>>;
  /** By sink uid. */
  readonly sinks: Readonly<Record<string, SinkRule>>;
  /** By uid of the keyed operator. */
  readonly counters: Readonly<Record<string, CounterRule>>;
  /** Build b has sources, state and sinks that build a has not, so that there is no way back to a. */
  readonly grows?: true;
}

export interface CounterRule {
  /** Uid of the source whose lines it counts. */
  readonly from: string;
  /** The keys that it counts in a line. */
  readonly of: (line: string) => string[];
}

export interface SinkRule {
  readonly topic: string;
  /** Uid of the source whose lines it shows. */
  readonly from: string;
  /** `counts`: `key:::n` for the n-th occurrence of each key; `lines`: what `of` makes of each line. */
  readonly writes: 'counts' | 'lines';
  readonly of: (line: string) => string[];
}

export const INPUT = 'input';
export const LATER_INPUT = 'later-input';
export const JOB = 'job';
/** The sink of what is left out, and its topic. */
export const DEAD_LETTERS = 'dead-letters';
export const DEAD_LETTER_TOPIC = 'dead';
const READ = { read: INPUT } as const;

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
  sources: READ,
  sinks: { write: { topic: 'output', from: 'read', writes: 'counts', of: words } },
  counters: { count: { from: 'read', of: words } },
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
  sources: READ,
  sinks: {
    copy: { topic: 'copies', from: 'read', writes: 'lines', of: (line) => [line.toUpperCase()] },
    write: { topic: 'output', from: 'read', writes: 'counts', of: words },
  },
  counters: { count: { from: 'read', of: words } },
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
  sources: READ,
  sinks: { copy: { topic: 'copies', from: 'read', writes: 'lines', of: (line) => [line.toUpperCase()] } },
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
  sources: READ,
  sinks: {
    write: { topic: 'output', from: 'read', writes: 'counts', of: words },
    'write-letters': { topic: 'letters', from: 'read', writes: 'counts', of: letters },
  },
  counters: { count: { from: 'read', of: words }, 'count-letters': { from: 'read', of: letters } },
};

/** The word count, to which an update adds a source with a count of its own. */
const growing: SimJob = {
  name: 'growing',
  grows: true,
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(wordsBy(code))
        .map(weighted(build))
        .keyBy(({ word }) => word, utf8)
        .process('count', counting(build, code))
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      if (build === 'a') return;
      job
        .source('read-later', kafkaSource({ topic: LATER_INPUT, value: code.lines, startingOffsets }))
        .flatMap(wordsBy(code))
        .map(weighted(build))
        .keyBy(({ word }) => word, utf8)
        .process('count-later', counting(build, code))
        .sink('write-later', kafkaSink({ topic: 'later-output', value: utf8 }));
    }),
  sources: { read: INPUT, 'read-later': LATER_INPUT },
  sinks: {
    write: { topic: 'output', from: 'read', writes: 'counts', of: words },
    'write-later': { topic: 'later-output', from: 'read-later', writes: 'counts', of: words },
  },
  counters: { count: { from: 'read', of: words }, 'count-later': { from: 'read-later', of: words } },
};

export const simJobs: readonly SimJob[] = [wordCount, wordCount, twoSinks, copying, twoCounts, growing];
