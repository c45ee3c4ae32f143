import { runKafkaTool } from '../../local/stack/java.ts';
import { type Order, resultsOf } from '../support/orders.ts';
import { sizeOf } from './sizes.ts';

/** A record, as Kafka's own consumer shows it. */
export interface Consumed {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

const IDLE_MS = 3_000;
const LINE = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/;

/** All that Kafka's console consumer reads of a topic, committed records only: a reader that has nothing of ours. */
export async function consumed(brokers: string, topic: string): Promise<Consumed[]> {
  const { exitCode, stdout, stderr } = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    ...['--timeout-ms', `${IDLE_MS}`, '--formatter-property', 'print.partition=true', '--formatter-property', 'print.offset=true'],
  ]);
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => {
    const [, partition, offset, value] = LINE.exec(line) ?? [];
    if (value === undefined) throw new Error(`the console consumer shows ${JSON.stringify(line)}, exit code ${exitCode}\n${stderr}`);
    return { partition: Number(partition), offset: Number(offset), value };
  });
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
