import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { kafkaToolCommand, runKafkaTool } from '../../../local/stack/java.ts';

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** The end of a topic is where nothing has come for this long. */
const SILENCE_MS = 12_000;

/** Reads a topic from its beginning with Kafka's own console consumer, read_committed. Nothing of ours takes part. */
export async function readCommitted(bootstrap: string, topic: string): Promise<ReadRecord[]> {
  const { command, args } = kafkaToolCommand('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
    ...['--timeout-ms', String(SILENCE_MS)],
  ]);
  const consumer = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(consumer, 'close');
  let said = '';
  consumer.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const records: ReadRecord[] = [];
  for await (const line of createInterface(consumer.stdout)) {
    const [, partition, offset, value = ''] = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/.exec(line) ?? [];
    if (partition === undefined) throw new Error(`the console consumer printed "${line}"`);
    records.push({ partition: Number(partition), offset: Number(offset), value });
  }
  await closed;
  const [, processed] = /Processed a total of (\d+) messages/.exec(said) ?? [];
  if (Number(processed) !== records.length)
    throw new Error(`the console consumer printed ${records.length} records of ${topic}, and said: ${said.slice(-2000)}`);
  return records;
}

const OVER = ['Empty', 'CompleteCommit', 'CompleteAbort'];

/** Transactional ids whose transaction is not over, with their state, as `kafka-transactions list` has them. */
export async function unfinishedTransactions(bootstrap: string): Promise<string[]> {
  const { stdout, stderr, exitCode } = await runKafkaTool('org.apache.kafka.tools.TransactionsCommand', [
    '--bootstrap-server',
    bootstrap,
    'list',
  ]);
  if (exitCode !== 0) throw new Error(`kafka-transactions list ended with ${exitCode}: ${stderr}`);
  const rows = stdout.trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .flatMap(([id = '', , , state = '']) => (OVER.includes(state) ? [] : [`${id} ${state}`]));
}
