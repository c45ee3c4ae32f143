import { runKafkaTool } from '../stack/java.ts';

export interface CheckResult {
  readonly records: number;
  readonly words: number;
  /** `word:::count` that should be there and is not. */
  readonly missing: readonly string[];
  /** That is there again, or should not be there at all. */
  readonly extra: readonly string[];
  /** That came after a higher count of its word. */
  readonly disordered: readonly string[];
}

/** Reads the topic with Kafka's own console consumer, read_committed: a reader that has nothing to do with the engine. */
export async function readCommitted(brokers: string, topic: string, records: number): Promise<string[]> {
  const { stdout, stderr, exitCode } = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    // More than there should be, so that a duplicate is seen; it ends when nothing comes for 5 s.
    ...['--max-messages', String(records + 1000), '--timeout-ms', '5000'],
  ]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new Error(`the console consumer read nothing (exit code ${exitCode}): ${stderr.slice(-2000)}`);
  return lines;
}

/** For every word the counts 1..n, once each, ascending: what exactly-once means for a word count. */
export function checkCounts(lines: readonly string[], expected: ReadonlyMap<string, number>): CheckResult {
  const seen = new Map<string, { counts: Set<number>; last: number }>();
  const extra: string[] = [];
  const disordered: string[] = [];
  for (const line of lines) {
    const at = line.lastIndexOf(':::');
    const word = line.slice(0, at);
    const count = Number(line.slice(at + 3));
    const known = seen.get(word) ?? { counts: new Set<number>(), last: 0 };
    seen.set(word, known);
    if (known.counts.has(count) || !(count >= 1 && count <= (expected.get(word) ?? 0))) extra.push(line);
    else if (count < known.last) disordered.push(line);
    known.counts.add(count);
    known.last = count;
  }
  const missing = [...expected].flatMap(([word, n]) =>
    Array.from({ length: n }, (_, index) => index + 1)
      .filter((count) => seen.get(word)?.counts.has(count) !== true)
      .map((count) => `${word}:::${count}`),
  );
  return { records: lines.length, words: expected.size, missing, extra, disordered };
}

export function isExact({ missing, extra, disordered }: CheckResult): boolean {
  return missing.length === 0 && extra.length === 0 && disordered.length === 0;
}
