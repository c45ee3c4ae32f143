import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { type Build, INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { timesOf, upperBy, weightIn, wordsBy } from './lines.ts';

interface Counted {
  readonly word: string;
  readonly count: number;
}

const TOPICS = ['even', 'odd', 'threes'] as const;

/** Of one word the counts go to several topics, whose order is their own. */
function topicOf({ count }: Counted): string {
  if (count % 3 === 0) return 'threes';
  return count % 2 === 0 ? 'even' : 'odd';
}

const counting = (build: Build, code: UserCode) => ({
  state: { count: valueState(int64, 0) },
  onRecord(word: string, { count }: { count: { update(fn: (n: number) => number): number } }, out: Output<Counted>) {
    const times = timesOf(build, weightIn(build));
    for (let time = 0; time < times; time++) out.emit({ word, count: count.update((n) => n + 1) });
    code.check('operator', word);
  },
});

/** Behind a count, by key and without one, and straight behind the source: to topics that a function of the row gives. */
const routing: SimJob = {
  name: 'routing',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }));
      lines
        .map(upperBy(code))
        .sink('copy', kafkaSink({ topics: ['long', 'short'], topic: (line) => (line.length > 12 ? 'long' : 'short'), value: utf8 }));
      lines
        .flatMap(wordsBy(code))
        .keyBy((word) => word, utf8)
        .process('count', counting(build, code))
        .sink(
          'write',
          kafkaSink({
            topics: TOPICS,
            topic: topicOf,
            key: utf8,
            value: utf8,
            toRecord: ({ word, count }: Counted) => ({ key: word, value: `${word}:::${count}` }),
          }),
        );
    }),
};

/** Jobs of which a sink writes to several topics. */
export const routingJobs: readonly SimJob[] = [routing];
