import { describe, expect, it } from 'vitest';
import { jobRow, manifestOf, testEpochs } from '../../support/epochs.ts';
import type { JobRun } from '../../support/job-run.ts';
import { type SeenRecord, TopicReader } from '../../support/topic-reader.ts';
import { newProducer, newTopic, withAdmin } from '../../support/topics.ts';
import { openTransactions } from '../../support/transactions.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { countWords, EXACT, faultsOf, someLines, totalOf } from '../../support/word-counts.ts';

const MODULE = 'test/support/poison-job.ts';
const ATTEMPTS = 3;

interface Poisoned {
  readonly count: WordCount;
  readonly deadTopic: string;
  readonly letters: TopicReader;
  /** Leaves records out. */
  readonly deadLetter: Readonly<Record<string, string>>;
}

async function newPoisoned(): Promise<Poisoned> {
  // Letters keep the timestamps of their records, and retention goes by these: the broker deletes old ones as soon as it looks.
  const deadTopic = await newTopic('dead', { partitions: 2, settings: { 'retention.ms': '-1' } });
  const count = await newWordCount({ module: MODULE, env: { ONCEFLOW_POISON_ATTEMPTS: String(ATTEMPTS) } });
  const deadLetter = { ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: deadTopic };
  return { count, deadTopic, letters: new TopicReader(deadTopic), deadLetter };
}

/** Writes one record with everything that a record has. */
async function writeWhole(topic: string, partition: number, value: string | Buffer, timestamp: string): Promise<void> {
  const producer = await newProducer();
  await producer.send({ topic, messages: [{ partition, key: 'its-key', value, timestamp, headers: { own: 'header' } }] });
}

/** Waits until what is not poison has been counted, stops the job, and asserts that it was counted exactly. */
async function expectOthersExact({ count }: Poisoned, run: JobRun, poison: readonly string[]): Promise<void> {
  const others = (await count.inputLines()).filter((line) => !poison.includes(line));
  const total = totalOf(countWords(others));
  await run.until('the epochs to come', () => run.eventsOf('decided').length > 0 || undefined);
  await count.reader.readUntil(({ records }) => records.length >= total);
  await run.stop();
  await count.reader.readOn();
  expect(faultsOf(count.reader.records, others)).toEqual(EXACT);
  expect(await openTransactions(count.job.name)).toEqual([]);
}

function headersBut(record: SeenRecord | undefined, ...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(record?.headers ?? {}).filter(([name]) => !names.includes(name)));
}

describe('ONCEFLOW_POISON_ATTEMPTS, ONCEFLOW_POISON_POLICY: a record that user code fails at', () => {
  it.each([
    ['a source chain', 'bad-in-source', 'read-lines', 'map (node 2) behind read-lines'],
    ['an operator behind a keyBy', 'bad-in-operator', 'count-words', 'count-words'],
  ])(
    'in %s goes to the dead-letter topic as it was, once, with the reason, and everything else is counted',
    async (_where, word, stage, operator) => {
      const poisoned = await newPoisoned();
      const { count, letters, deadLetter } = poisoned;
      const line = `some words ${word} and more`;
      await count.write(someLines(300));
      await writeWhole(count.input, 1, line, '1700000000123');
      await count.write(someLines(300, 2));
      const run = count.job.start(deadLetter);
      await run.event('dead-lettered');
      await expectOthersExact(poisoned, run, [line]);
      await letters.readOn();
      const [letter] = letters.records;
      expect(letters.records).toHaveLength(1);
      const { incarnation } = await jobRow(count.job.name);
      const epoch = await testEpochs().readEpoch(count.job.name, incarnation, Number(letter?.headers['onceflow.epoch']));
      const from = Number(letter?.headers['onceflow.offset']);
      const input = [{ topic: count.input, partition: 1, from, bound: from + 1 }];
      expect(epoch?.summary.failed?.at(-1)).toMatchObject({ stage, kind: 'user-code', stack: expect.stringContaining(word), input });
      expect(letter).toMatchObject({ key: 'its-key', value: line, timestamp: 1_700_000_000_123 });
      expect(headersBut(letter, 'onceflow.error.stack', 'onceflow.epoch')).toEqual({
        own: 'header',
        'onceflow.job': count.job.name,
        'onceflow.topic': count.input,
        'onceflow.partition': '1',
        'onceflow.offset': '100',
        'onceflow.timestamp': '1700000000123',
        'onceflow.stage': stage,
        'onceflow.operator': operator,
        'onceflow.attempts': String(ATTEMPTS),
        'onceflow.error.class': 'RangeError',
        'onceflow.error.message': `the word ${word} is refused`,
      });
      expect(letter?.headers['onceflow.error.stack']).toMatch(
        /^RangeError: the word .* is refused\n +at refuse \(.*poison-job\.ts:\d+:\d+\)/,
      );
      expect(run.eventsOf('dead-lettered')).toEqual([
        { event: 'dead-lettered', epoch: Number(letter?.headers['onceflow.epoch']), records: 1 },
      ]);
    },
  );

  it('stops the job with topic, partition, offset and stack; then it can be left out, and later no more', async () => {
    const poisoned = await newPoisoned();
    const { count, letters, deadLetter } = poisoned;
    await count.write(someLines(30));
    await writeWhole(count.input, 2, 'bad-in-operator', '1700000000123');
    const { end, message } = await count.job.start().ended;
    expect(end).toBe('failed');
    expect(message).toMatch(
      new RegExp(
        `^topic ${count.input}, partition 2, offset 10: this record alone failed ${ATTEMPTS} times in a row in count-words of stage count-words ` +
          '\\(ONCEFLOW_POISON_ATTEMPTS\\): RangeError: the word bad-in-operator is refused\\. The job stops here and skips nothing\\..*' +
          '\\n +at refuse \\(.*poison-job\\.ts',
        's',
      ),
    );
    expect((await jobRow(count.job.name)).failure).toBe(message);
    expect((await manifestOf(count.job.name)).offsets['read-lines']?.[count.input]?.[2]).toBe(10);

    const second = count.job.start(deadLetter);
    await second.event('dead-lettered');
    await count.write(someLines(30, 2));
    await expectOthersExact(poisoned, second, ['bad-in-operator']);
    await letters.readOn();
    expect(letters.values).toEqual(['bad-in-operator']);
    expect((await jobRow(count.job.name)).failure).toBeUndefined();

    await count.write(someLines(30, 3));
    const third = count.job.start();
    await third.event('lease-taken');
    await expectOthersExact(poisoned, third, ['bad-in-operator']);
  });

  it('among many, under load, while functions and the coordinator are killed with -9, goes to the dead letters once', async () => {
    const poisoned = await newPoisoned();
    const { count, letters, deadLetter } = poisoned;
    const run = count.job.start(deadLetter, 'each');
    const feed = count.feed();
    const poison: string[] = [];
    for (const role of ['source', 'operator', 'sink', 'coordinator'] as const) {
      const line = `x ${poison.length % 2 === 0 ? 'bad-in-source' : 'bad-in-operator'}-${poison.length} y`;
      poison.push(line);
      await count.write([line]);
      const failed = run.eventsOf('attempt-failed').length;
      await run.until('the search', () => run.eventsOf('attempt-failed').length > failed || undefined);
      const crashes = run.crashes.length;
      process.kill(await run.pid(role), 'SIGKILL');
      await run.until('the crash', () => run.crashes.length > crashes || undefined);
    }
    await feed.stop();
    await letters.readUntil(({ records }) => records.length >= poison.length);
    await expectOthersExact(poisoned, run, poison);
    await letters.readOn();
    expect(letters.values.toSorted()).toEqual(poison.toSorted());
  });
});

describe('ONCEFLOW_POISON_POLICY: records that the serde cannot read', () => {
  it('go to the dead-letter topic, byte for byte, and what is around them is counted', async () => {
    const poisoned = await newPoisoned();
    const { count, letters, deadLetter } = poisoned;
    await count.write(someLines(30));
    const notUtf8 = Buffer.from([0x61, 0xff, 0xfe, 0x62]);
    await writeWhole(count.input, 0, notUtf8, '1700000000123');
    await count.write(someLines(30, 2));
    const run = count.job.start(deadLetter);
    await run.event('dead-lettered');
    await expectOthersExact(poisoned, run, [notUtf8.toString('utf8')]);
    await letters.readOn();
    expect(letters.records).toEqual([
      expect.objectContaining({ key: 'its-key', value: notUtf8.toString('utf8'), timestamp: 1_700_000_000_123 }),
    ]);
    expect(letters.records[0]?.headers).toMatchObject({
      own: 'header',
      'onceflow.offset': '10',
      'onceflow.error.class': 'MalformedRecordError',
      'onceflow.error.message': expect.stringContaining('source read-lines cannot read the value with serde utf8'),
    });
    expect(run.eventsOf('attempt-failed')).toEqual([]);
  });
});

describe('a timestamp that is no time', () => {
  /** Go's zero time, nanoseconds, and what Java calls Long.MAX_VALUE and Long.MIN_VALUE. */
  const timestamps = ['-62135596800000', '1700000000123456789', '9223372036854775807', '-9223372036854775808'];

  /** From 4.0 a topic refuses by default what lies an hour ahead; one of before does not. */
  async function takesAny(topic: string): Promise<void> {
    const configEntries = [{ name: 'message.timestamp.after.max.ms', value: '9223372036854775807' }];
    await withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] }));
  }

  it('stops nothing: its record is counted as any other', async () => {
    const count = await newWordCount();
    await Promise.all([takesAny(count.input), takesAny(count.output)]);
    await count.write(someLines(30));
    for (const timestamp of timestamps) await writeWhole(count.input, 1, 'some odd words', timestamp);
    await count.write(someLines(30, 2));
    await count.expectExact(count.job.start());
  });

  it('is said by the dead letter of its record, which is written whatever it is', async () => {
    const poisoned = await newPoisoned();
    const { count, letters, deadLetter } = poisoned;
    await takesAny(count.input);
    await count.write(someLines(30));
    const notUtf8 = Buffer.from([0x61, 0xff]);
    for (const timestamp of timestamps) await writeWhole(count.input, 1, notUtf8, timestamp);
    await count.write(someLines(30, 2));
    const run = count.job.start(deadLetter);
    await run.event('dead-lettered');
    await expectOthersExact(poisoned, run, [notUtf8.toString('utf8')]);
    await letters.readOn();
    expect(letters.records.map(({ headers }) => headers['onceflow.timestamp'])).toEqual(timestamps);
    expect(letters.records.map(({ timestamp }) => timestamp)[0]).toBe(-62_135_596_800_000);
    expect(run.eventsOf('attempt-failed')).toEqual([]);
  });
});

describe('ONCEFLOW_DEAD_LETTER_TOPIC: a start that contradicts itself', () => {
  it.each(['read-lines', 'write-counts'])('with the topic of %s for dead letters is refused', async (uid) => {
    const { count } = await newPoisoned();
    const topic = uid === 'read-lines' ? count.input : count.output;
    const { end, message } = await count.job.start({ ONCEFLOW_POISON_POLICY: 'dead-letter', ONCEFLOW_DEAD_LETTER_TOPIC: topic }).ended;
    expect(end).toBe('refused');
    expect(message).toContain(`ONCEFLOW_DEAD_LETTER_TOPIC=${topic} is a topic of`);
  });
});
