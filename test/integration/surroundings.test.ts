import { expect, it } from 'vitest';
import { type CommandRun, onceflow } from '../support/onceflow.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { newProducer, newTopic } from '../support/topics.ts';
import { newWordCount } from '../support/word-count-run.ts';
import { someLines } from '../support/word-counts.ts';

const POISON = 'some bad-in-operator words';

it('a job with a poisoned record is told of by lag, doctor and dead-letters, and gets the record again', async () => {
  const dead = await newTopic('dead', { partitions: 2 });
  const count = await newWordCount({
    module: 'test/support/poison-job.ts',
    env: { ONCEFLOW_POISON_ATTEMPTS: '1', ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: dead },
  });
  const { job, input, output } = count;
  const cli = (...args: string[]) => onceflow(job.env, ...args);

  // Before it has run.
  expect(await cli('lag')).toMatchObject({ code: 3 });
  expect(findingsOf(await cli('doctor', '--json'), 0)).toMatchObject({
    table: ['well', expect.stringContaining(`job ${job.name} has no row yet`)],
    blobs: ['well', expect.anything()],
    transaction: ['well', expect.stringContaining(`begun under ${job.name}-doctor, with group ${job.name}, and aborted`)],
    clock: ['well', expect.stringMatching(/within \d+ ms of this machine's/)],
    'broker 1': ['well', expect.stringMatching(/answers; Apache Kafka 4\.\d or later/)],
    'time budget': ['well', expect.anything()],
    [`topic ${input} (source)`]: ['well', '3 partitions, each with a leader, replicas: 1'],
    [`rights on topic ${input} (source)`]: ['well', 'Read'],
    [`rights on topic ${output} (sink)`]: ['well', 'Read, Write, DescribeConfigs'],
    [`settings of topic ${dead} (dead letters)`]: ['warning', expect.stringContaining('good for a machine of your own')],
  });

  // With a letter, and input that nobody has read.
  const producer = await newProducer();
  const whole = { partition: 1, key: 'its-key', value: POISON, timestamp: '1700000000123', headers: { own: 'header' } };
  await count.write(someLines(30));
  await producer.send({ topic: input, messages: [whole] });
  const run = job.start();
  await run.event('dead-lettered');
  await run.stop();
  await count.write(someLines(12, 2));
  const lag = (await cli('lag', '--json')).json();
  expect(lag).toMatchObject({ job: job.name, heldUp: 0, partitions: [{ source: 'read-lines', topic: input, partition: 0 }, {}, {}] });
  expect(lag['records']).toBe(12);
  expect((await cli('lag')).stdout).toMatch(
    new RegExp(
      `^source +topic +partition .*\nread-lines +${input} +0 +10 +14 +14 +4\n[\\s\\S]*\n12 offsets behind in 3 partitions, as of epoch \\d+\n$`,
    ),
  );
  const listed = (await cli('dead-letters', 'list', '--json')).json();
  expect(listed).toMatchObject({
    found: 1,
    letters: [{ from: { topic: input, partition: 1, offset: 10 }, attempts: 1, operator: 'count-words' }],
  });
  const [{ at = '' } = {}] = listed['letters'] as { at?: string }[];
  expect((await cli('dead-letters', 'show', at)).stdout).toMatch(
    /RangeError: the word bad-in-operator is refused\n +at refuse[\s\S]*"some bad-in-operator words"/,
  );

  // Again.
  expect(await cli('dead-letters', 'retry', at)).toMatchObject({ code: 2, stderr: expect.stringContaining('give --yes') });
  expect((await cli('dead-letters', 'retry', at, '--yes', '--json')).json()).toMatchObject({
    sent: [{ to: { topic: input, partition: 1, offset: 15 } }],
    refused: [],
  });
  const reader = new TopicReader(input);
  await reader.readOn();
  expect(reader.records.filter(({ value }) => value === POISON)).toEqual(
    [10, 15].map((offset) => ({
      ...{ partition: 1, offset, timestamp: 1_700_000_000_123 },
      ...{ key: 'its-key', value: POISON, headers: { own: 'header' } },
    })),
  );

  // With something wrong.
  const wrong = await onceflow({ ...job.env, ONCEFLOW_TOPICS: `read-lines=nowhere,write-counts=${output}` }, 'doctor', '--json');
  expect(findingsOf(wrong, 1)).toMatchObject({ 'topic nowhere (source)': ['wrong', 'it does not exist'] });
});

/** By what was looked at: the verdict, and what was found. */
function findingsOf(run: CommandRun, code: number): Record<string, readonly string[]> {
  const findings = run.json()['findings'] as { what: string; is: string; found: string }[];
  expect(run.code, findings.map((each) => Object.values(each).join(' | ')).join('\n')).toBe(code);
  return Object.fromEntries(findings.map(({ what, is, found }) => [what, [is, found]]));
}
