import type { SeenRecord } from './topic-reader.ts';

/** What is wrong with a topic of word counts; all empty when it is exact. */
export interface WordCountFaults {
  /** `word:::count` that should be there and is not. */
  readonly missing: readonly string[];
  /** That is there again, or should not be. */
  readonly extra: readonly string[];
  /** Words whose counts do not ascend within their partition, or that are in several. */
  readonly disordered: readonly string[];
}

export const EXACT: WordCountFaults = { missing: [], extra: [], disordered: [] };
const SHOWN = 20;

/** How often each word is in the lines, split on single spaces. */
export function countWords(lines: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

export function totalOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Compares what a reader saw with the exact expectation: every word's counts 1..n, once each, ascending in one partition. */
export function faultsOf(seen: Iterable<Pick<SeenRecord, 'partition' | 'value'>>, input: Iterable<string>): WordCountFaults {
  const expected = countWords(input);
  const extra: string[] = [];
  const disordered = new Set<string>();
  const found = new Map<string, { readonly counts: Set<number>; readonly partition: number; last: number }>();
  for (const { partition, value } of seen) {
    const [, word = '', digits = ''] = /^(.*):::(\d+)$/s.exec(value) ?? [];
    const count = Number(digits);
    const known = found.get(word) ?? { counts: new Set<number>(), partition, last: 0 };
    found.set(word, known);
    if (known.counts.has(count) || count < 1 || count > (expected.get(word) ?? 0)) extra.push(value);
    else if (known.partition !== partition || count < known.last) disordered.add(word);
    known.counts.add(count);
    known.last = count;
  }
  const missing: string[] = [];
  for (const [word, n] of expected) {
    const counts = found.get(word)?.counts;
    for (let count = 1; count <= n; count++) if (counts?.has(count) !== true) missing.push(`${word}:::${count}`);
  }
  return { missing: missing.slice(0, SHOWN), extra: extra.slice(0, SHOWN), disordered: [...disordered].slice(0, SHOWN) };
}

/** Lines of words of a small vocabulary, the same for the same seed: few words are often, many are rare. */
export function someLines(count: number, seed = 1, wordsOfALine = 8): string[] {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const word = () => `w${Math.floor(200 * next() ** 3)}`;
  return Array.from({ length: count }, () => Array.from({ length: wordsOfALine }, word).join(' '));
}
