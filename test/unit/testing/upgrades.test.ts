import { expect, it } from 'vitest';
import {
  defineJob,
  int64,
  JobDefinitionError,
  json,
  kafkaSink,
  kafkaSource,
  type Output,
  renamed,
  utf8,
  valueState,
  versioned,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';

const words = kafkaSource({ topic: 'words', value: utf8 });
const more = kafkaSource({ topic: 'more', value: utf8 });
const out = kafkaSink({ topic: 'out', value: utf8 });

const before = defineJob('words', (job) => {
  job
    .source('read', words)
    .keyBy((word) => word, utf8)
    .process('count', {
      state: { n: valueState(int64, 0) },
      onRecord(word, { n }, to: Output<string>) {
        to.emit(`${word} ${n.update((was) => was + 1)}`);
      },
    })
    .sink('write', out);
});
const counted = versioned({ version: 2, serde: json<{ n: number }>(), older: { 1: { serde: int64, migrate: (n) => ({ n }) } } });
const after = (uid: Parameters<ReturnType<typeof keyedWords>['process']>[0]) =>
  defineJob('words', (job) => {
    keyedWords(job)
      .process(uid, {
        state: { visits: renamed(valueState(counted, { n: 0 }), { formerly: 'n' }) },
        onRecord(word, { visits }, to: Output<string>) {
          to.emit(`${word} ${visits.update(({ n }) => ({ n: n + 1 })).n}!`);
        },
      })
      .sink('write', out);
    job.source('read-more', more).sink('write-more', kafkaSink({ topic: 'copies', value: utf8 }));
  });
const keyedWords = (job: Parameters<Parameters<typeof defineJob>[1]>[0]) =>
  job.source({ uid: 'read-words', formerly: 'read' }, words).keyBy((word) => word, utf8);

it('another build of a job in memory goes on with what the one before has kept, under the names and in the form of its own', async () => {
  const job = testJob(before, { partitions: 2 });
  job.push('read', 'ant', 'bee', 'ant');
  await job.runUntilIdle();
  job.push('read', 'ant');
  const upgraded = job.fork({ job: after({ uid: 'tally', formerly: 'count' }), parallelism: 2 });
  upgraded.push('read-words', 'bee');
  upgraded.push('read-more', 'new');
  await upgraded.runUntilIdle();
  expect(upgraded.values('write').slice(-2).sort()).toEqual(['ant 3!', 'bee 2!']);
  expect(upgraded.values('write-more')).toEqual(['new']);
  expect(await upgraded.state('tally', 'ant')).toEqual({ visits: { n: 3 } });
  // What is not migrated by a record is by being read.
  expect(await job.fork({ job: after({ uid: 'tally', formerly: 'count' }) }).state('tally', 'ant')).toEqual({ visits: { n: 2 } });
  expect(await job.state('count', 'ant')).toEqual({ n: 2 });
});

it('one that would be refused is refused, and says why', async () => {
  const job = testJob(before);
  job.push('read', 'ant');
  await job.runUntilIdle();
  const renaming = () => job.fork({ job: after('tally') });
  expect(renaming).toThrow(JobDefinitionError);
  expect(renaming).toThrow(
    /job words cannot go on with this graph: keyed operator count is gone, and with it its state n \(if it is tally now/,
  );
});
