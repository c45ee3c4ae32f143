import { expect, it } from 'vitest';
import { defineJob, fileSink, jsonLines, kafkaSource, utf8, writeAheadSink } from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';

interface Line {
  readonly line: string;
  readonly at: Date;
}

const toFiles = fileSink<Line>({ location: 's3://bucket', format: jsonLines<Line>(), path: ({ line }) => line });
const job = defineJob('rows', (builder) => {
  const lines = builder.source('read', kafkaSource({ topic: 'lines', value: utf8 }));
  lines.map((line): Line => ({ line, at: new Date(0) })).sink('to-files', toFiles);
  lines.sink(
    'to-function',
    writeAheadSink<string>({
      deliver() {
        throw new Error('a test of a job calls no target');
      },
    }),
  );
});

it('a job in memory gives the rows of every sink, as they were', async () => {
  const test = testJob(job);
  test.push('read', 'one', 'two');
  await test.runUntilIdle();
  expect(test.values(toFiles)).toEqual(['one', 'two'].map((line) => ({ line, at: new Date(0) })));
  expect(test.values('to-function')).toEqual(['one', 'two']);
});

it('and fails at a row that its sink could not write', async () => {
  const test = testJob(job);
  test.push('read', '../up');
  await expect(test.runUntilIdle()).rejects.toThrow(/to-files.*path gave "\.\.\/up"/);
});
