import { describe, expect, it } from 'vitest';
import { RecordSetReader } from '../../../lib/format/record-set-reader.ts';
import { bytes } from '../../../lib/format/serdes.ts';
import type { KafkaRequests, PartitionBatch } from '../../../lib/ports/kafka-requests.ts';
import { type MemoryKafka, memoryKafka } from '../../../lib/testing/memory-kafka.ts';
import { MemoryTopics } from '../../../lib/testing/memory-topics.ts';
import { runCommand } from './run-command.ts';

const SERDES = { key: bytes, value: bytes };

interface Letter {
  readonly partition?: number;
  readonly job?: string;
  readonly epoch?: number;
  readonly from?: string;
  readonly fromPartition?: number;
  readonly key?: Buffer | undefined;
  readonly value?: Buffer | undefined;
  readonly own?: readonly { readonly key: string; readonly value: Buffer }[];
}

/** A topic `dead` with two partitions, and these letters in it. */
function brokersWith(letters: readonly Letter[]): MemoryKafka {
  const topics = new MemoryTopics(() => 2);
  for (const letter of letters) {
    const { partition = 0, key, value = Buffer.from('bad line'), own = [] } = letter;
    topics.append('dead', partition, { key, value, timestamp: 1_700_000_000_123, headers: [...own, ...headersOf(letter)] }, SERDES);
  }
  return memoryKafka(topics);
}

function headersOf({ job = 'word-count', epoch = 9, from = 'lines', fromPartition = 1 }: Letter) {
  const values = {
    job,
    epoch,
    topic: from,
    partition: fromPartition,
    offset: 310,
    timestamp: 1_700_000_000_123,
    stage: 'count-words',
    operator: 'count-words',
    attempts: 3,
    'error.class': 'RangeError',
    'error.message': 'the word is refused',
    'error.stack': 'RangeError: the word is refused\n    at refuse (job.ts:3:9)',
  };
  return Object.entries(values).map(([name, value]) => ({ key: `onceflow.${name}`, value: Buffer.from(`${value}`) }));
}

const system = { clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} }, random: { id: () => 'n', fraction: () => 0 } };

function run(kafka: KafkaRequests, args: readonly string[], answer: 'yes' | 'no' | 'nobody' = 'nobody') {
  const asked: string[] = [];
  const tools = {
    ...system,
    config: { deadLetterTopic: 'dead' },
    kafka: async () => kafka,
    ask: async (question: string) => {
      asked.push(question);
      return answer;
    },
  };
  return { asked, result: runCommand(['dead-letters', ...args], tools) };
}

/** The record in a batch that was produced. */
function recordIn({ batch }: PartitionBatch) {
  const reader = new RecordSetReader();
  reader.open(Buffer.from(batch), { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [], describe: () => 'the batch' });
  expect(reader.next()).toBe(true);
  const text = (start: number, end: number) => (start < 0 ? undefined : reader.bytes.toString('utf8', start, end));
  return {
    timestamp: reader.timestamp,
    key: text(reader.keyStart, reader.keyEnd),
    value: text(reader.valueStart, reader.valueEnd),
    headers: reader.headers().map(({ key, value }) => [key, value === undefined ? undefined : Buffer.from(value).toString()]),
  };
}

describe('onceflow dead-letters list', () => {
  it('shows where each record was and why it was left out, and nothing of other jobs and of what is no letter', async () => {
    const kafka = brokersWith([{}, { job: 'another' }, { partition: 1, epoch: 4, fromPartition: 0 }]);
    expect((await run(kafka, ['list']).result).text).toBe(
      [
        'letter  epoch  record         failed in    attempts  error',
        '1:0         4  lines-0 @ 310  count-words         3  RangeError: the word is refused',
        '0:0         9  lines-1 @ 310  count-words         3  RangeError: the word is refused',
      ].join('\n'),
    );
  });

  it('shows the newest, and says how many there are besides', async () => {
    const kafka = brokersWith(Array.from({ length: 9 }, (_, epoch) => ({ epoch })));
    const { text, json } = await run(kafka, ['list', '--limit', '2']).result;
    expect(text).toMatch(/\n0:7 +7 .*\n0:8 +8 .*\nand 7 older letters \(--limit\)$/);
    expect(json).toMatchObject({ found: 9, letters: [{ at: '0:7' }, { at: '0:8' }] });
  });

  it('of a topic without letters says so', async () => {
    expect((await run(brokersWith([]), ['list']).result).text).toBe('topic dead has no letter of job word-count');
  });
});

describe('onceflow dead-letters show', () => {
  it('shows stack, key, value and headers; bytes that are no text as base64', async () => {
    const own = [{ key: 'trace', value: Buffer.from('abc') }];
    const kafka = brokersWith([{}, { key: Buffer.from([0xff]), value: Buffer.from('a "line"'), own }]);
    const { text, json } = await run(kafka, ['show', '0:1']).result;
    expect(text).toContain('record     topic lines, partition 1, offset 310; timestamp 1700000000123 (2023-11-14T22:13:20Z)');
    expect(text).toContain('error      RangeError: the word is refused\n                 at refuse (job.ts:3:9)');
    expect(text).toContain('key        1 byte, base64 /w==\n  value      "a \\"line\\""\n  header     "trace": "abc"');
    expect(json).toMatchObject({
      at: '0:1',
      from: { topic: 'lines', partition: 1, offset: 310 },
      key: { base64: '/w==' },
      value: { text: 'a "line"' },
      headers: [{ key: { text: 'trace' }, value: { text: 'abc' } }],
    });
  });

  it.each(['0:7', '5:0'])('%s, where no letter of the job is, is refused', async (place) => {
    await expect(run(brokersWith([{}]), ['show', place]).result).rejects.toThrow(`topic dead has no letter of job word-count at ${place}`);
  });
});

describe('onceflow dead-letters retry', () => {
  it('writes the record to its topic and partition as it was, without what the letter added', async () => {
    const own = [
      { key: 'onceflow.job', value: Buffer.from('it was a letter before') },
      { key: 'trace', value: Buffer.from('abc') },
    ];
    const kafka = brokersWith([{}, { key: Buffer.from('its-key'), own }]);
    const { result } = run(kafka, ['retry', '0:1', '--yes']);
    expect(await result).toMatchObject({ code: 0, text: '1 record written again' });
    const produced = kafka.takeProduced();
    expect(produced).toMatchObject([{ topic: 'lines', partition: 1 }]);
    expect(produced.map(recordIn)).toEqual([
      {
        timestamp: 1_700_000_000_123,
        key: 'its-key',
        value: 'bad line',
        headers: [
          ['onceflow.job', 'it was a letter before'],
          ['trace', 'abc'],
        ],
      },
    ]);
  });

  it('asks first, and says how many records go where; without a yes nothing is written', async () => {
    const kafka = brokersWith([{}, {}, { from: 'others', partition: 1 }]);
    const no = run(kafka, ['retry', '--all'], 'no');
    expect(await no.result).toMatchObject({ code: 0, text: 'nothing was written' });
    expect(no.asked).toEqual(['Write 2 records to topic lines, 1 record to topic others again?']);
    expect(kafka.takeProduced()).toEqual([]);
    const yes = run(kafka, ['retry', '--all'], 'yes');
    expect(await yes.result).toMatchObject({ code: 0, json: { sent: { length: 3 } } });
    expect(kafka.takeProduced().map(({ topic }) => topic)).toEqual(['lines', 'lines', 'others']);
  });

  it('where nobody is there to be asked, wants --yes: nothing is written', async () => {
    const kafka = brokersWith([{}]);
    await expect(run(kafka, ['retry', '--all']).result).rejects.toThrow(/nobody is there to be asked: give --yes/);
    expect(kafka.takeProduced()).toEqual([]);
  });

  it('goes on behind a record that the topic refuses, names it, and ends with exit code 1', async () => {
    const kafka = brokersWith([{ fromPartition: 7 }, {}]);
    const { code, text, json } = await run(kafka, ['retry', '--all', '--yes']).result;
    expect({ code, text }).toEqual({
      code: 1,
      text: '1 record written again\nletter 0:0 was not: topic lines has 2 partitions, and the record was in partition 7: give it the partitions that it had',
    });
    expect(json).toMatchObject({ sent: [{ partition: 0, offset: 1 }], refused: [{ at: '0:0' }] });
  });

  it('compresses a record that is too large as it is: it came in a compressed batch', async () => {
    const kafka = brokersWith([{ value: Buffer.alloc(10_000, 'a') }]);
    const sizes: number[] = [];
    const strict: KafkaRequests = {
      ...kafka,
      async produce(_who, _leader, batches) {
        const size = batches[0]?.batch.length ?? 0;
        sizes.push(size);
        return size > 1_000 ? { answer: 'MESSAGE_TOO_LARGE', baseOffsets: [-1] } : { answer: 'NONE', baseOffsets: [5] };
      },
    };
    expect(await run(strict, ['retry', '0:0', '--yes']).result).toMatchObject({ code: 0, json: { sent: [{ to: { offset: 5 } }] } });
    expect(sizes).toEqual([expect.any(Number), expect.any(Number)]);
  });
});

it.each([
  [[], 'dead-letters takes one of list, show, retry'],
  [['drop'], 'not drop'],
  [['list', '0:1'], 'list takes neither'],
  [['show'], 'show takes one PARTITION:OFFSET'],
  [['show', '12'], '12 is no letter: name it by PARTITION:OFFSET'],
  [['retry'], 'retry takes either'],
  [['retry', '0:1', '--all'], 'retry takes either'],
])('dead-letters %j is refused: %s', async (args, message) => {
  await expect(run(brokersWith([{}]), args).result).rejects.toThrow(message);
});
