import { expect, it } from 'vitest';
import { murmur2, toPositive } from '../../../lib/format/murmur2.ts';
import { runKafkaTool } from '../../../local/stack/java.ts';
import { newJob } from '../../support/job.ts';
import { brokers } from '../../support/kafka-wire.ts';
import { CODECS, recordOf } from '../../support/records-job.ts';
import { newProducer, newTopic, send } from '../../support/topics.ts';

const COUNT = 2_000;

/** As Kafka's console consumer prints a record. */
function printed(codec: string, n: number): string {
  const { key = '', value, headers = [], timestamp, partition } = recordOf(codec, String(n));
  const to = partition ?? toPositive(murmur2(Buffer.from(key), 0, Buffer.byteLength(key))) % 3;
  const shown = headers.map((header) => `${header.key}:${header.value === undefined ? 'TOMBSTONE' : Buffer.from(header.value).toString()}`);
  return [`CreateTime:${timestamp}`, `Partition:${to}`, shown.join(','), key, value ?? 'TOMBSTONE'].join('\t');
}

it("Kafka's own reader has keys, values, headers, timestamps, partitions and tombstones as they were given, by every compression", async () => {
  const [input, ...outputs] = await Promise.all([
    newTopic('numbers', { partitions: 1 }),
    ...CODECS.map((codec) => newTopic(`records-${codec}`)),
  ]);
  const producer = await newProducer();
  const topics = { read: input, ...Object.fromEntries(CODECS.map((codec, index) => [`write-${codec}`, outputs[index] ?? ''])) };
  const job = await newJob('test/support/records-job.ts', topics);
  const numbers = Array.from({ length: COUNT }, (_, n) => n);
  // In two epochs at least, the first of which has batches of one record.
  await send(producer, input, ['0'], 1);
  const run = job.start();
  await run.event('committed', ({ epoch }) => epoch >= 1);
  await send(producer, input, numbers.slice(1).map(String), 1);
  const { stdout } = await runKafkaTool(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    [
      ...[
        '--bootstrap-server',
        brokers().join(','),
        '--include',
        outputs.join('|'),
        '--from-beginning',
        '--isolation-level',
        'read_committed',
      ],
      ...['timestamp', 'partition', 'headers', 'key'].flatMap((part) => ['--formatter-property', `print.${part}=true`]),
      ...['--formatter-property', 'null.literal=TOMBSTONE', '--formatter-property', 'headers.separator=,'],
      ...['--max-messages', String(COUNT * CODECS.length), '--timeout-ms', '60000'],
    ],
    { timeoutMs: 120_000 },
  );
  expect(run.eventsOf('attempt-failed')).toEqual([]);
  await run.stop();
  const lines = stdout.trimEnd().split('\n');
  for (const codec of CODECS) {
    const found = lines.filter((line) => line.includes(`codec:${codec},`));
    const expected = numbers.map((n) => printed(codec, n));
    const wrong = found.filter((line) => !expected.includes(line)).slice(0, 3);
    expect({ codec, wrong, count: found.length }).toEqual({ codec, wrong: [], count: COUNT });
    expect([...found].sort()).toEqual([...expected].sort());
  }
}, 180_000);
