import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { kafkaToolCommand } from '../../local/stack/java.ts';
import { type Order, resultsOf } from '../support/orders.ts';
import { sizeOf } from './sizes.ts';

/** A record, as Kafka's own consumer shows it. */
export interface Consumed {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** Nothing more comes when nothing has come for so long. */
const QUIET_MS = 2_000;
const PATIENCE_MS = 120_000;
const LINE = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/;

/**
 * What Kafka's console consumer reads of a topic, committed records only: a reader that has nothing of ours. It reads on for a while when it
 * has as many as there are to be.
 */
export async function consumed(brokers: string, topic: string, least: number): Promise<Consumed[]> {
  const { command, args } = kafkaToolCommand('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    ...['--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
  ]);
  const tool = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
  const ended = once(tool, 'close');
  const records: Consumed[] = [];
  let said = '';
  tool.stderr.on('data', (chunk) => (said += chunk));
  let quiet: NodeJS.Timeout | undefined;
  for await (const line of createInterface(tool.stdout)) {
    const [, partition, offset, value] = LINE.exec(line) ?? [];
    if (value === undefined) throw new Error(`the console consumer shows ${JSON.stringify(line)}`);
    records.push({ partition: Number(partition), offset: Number(offset), value });
    clearTimeout(quiet);
    if (records.length >= least) quiet = setTimeout(() => tool.kill(), QUIET_MS);
  }
  await ended;
  if (records.length < least) throw new Error(`the console consumer has read ${records.length} of ${least} records of ${topic}\n${said}`);
  return records;
}

/** What both topics of the job must have in the end, told from its input alone, and from where the second build began. */
export function expectedOf(input: readonly Consumed[], begins: readonly number[]): { readonly totals: string[]; readonly sizes: string[] } {
  const ordered = input.toSorted((one, other) => one.partition - other.partition || one.offset - other.offset);
  const later = ordered.filter(({ partition, offset }) => offset >= (begins[partition] ?? 0));
  const counts = new Map<string, number>();
  const sizes = later.map(({ value }) => {
    const size = sizeOf(JSON.parse(value) as Order);
    counts.set(size, (counts.get(size) ?? 0) + 1);
    return `${size}: ${counts.get(size)}`;
  });
  return { totals: resultsOf(ordered.map(({ value }) => JSON.parse(value) as Order)), sizes };
}
