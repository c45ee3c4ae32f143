import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { type Build, INPUT, JOB, LATER_INPUT, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { timesOf, upperBy, weightIn, wordsBy } from './lines.ts';

interface Weighted {
  readonly word: string;
  readonly weight: number;
}

const weighted =
  (build: Build) =>
  (word: string): Weighted => ({ word, weight: weightIn(build) });

function counting(build: Build, code: UserCode) {
  return {
    state: { count: valueState(int64, 0) },
    onRecord({ word, weight }: Weighted, { count }: { count: { update(fn: (n: number) => number): number } }, out: Output<string>) {
      const times = timesOf(build, weight);
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
};

/** Words counted, in several graphs. */
export const countingJobs: readonly SimJob[] = [wordCount, wordCount, twoSinks, copying, twoCounts, growing];
