import { isUtf8 } from 'node:buffer';
import type { WireRecord } from '../models/wire.ts';

/** A record as it is compared and told of: two that differ in anything have different texts. */
export function textOf({ key, value, headers, timestamp }: WireRecord): string {
  const parts = [written(value)];
  if (key !== undefined) parts.push(`key ${written(key)}`);
  for (const header of headers) parts.push(`header ${header.key} ${written(header.value)}`);
  return `${parts.join(' | ')} | at ${timestamp}`;
}

function written(bytes: Buffer | undefined): string {
  if (bytes === undefined) return '(nothing)';
  return isUtf8(bytes) ? bytes.toString('utf8') : `0x${bytes.toString('hex')}`;
}

/** Bytes for people: as text where they are one that can be read. */
export function shown(bytes: Buffer): string {
  const text = written(bytes);
  return /\p{Cc}/u.test(text) ? `0x${bytes.toString('hex')}` : text;
}

/** How often each text is there. */
export function multiset(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** For people: the first differences; undefined when there is none. */
export function differenceOf<T extends string | number>(
  expected: ReadonlyMap<string, T>,
  found: ReadonlyMap<string, T>,
): string | undefined {
  const differences: string[] = [];
  for (const [name, it] of expected) if (found.get(name) !== it) differences.push(`${name}: ${found.get(name) ?? 'none'} instead of ${it}`);
  for (const [name, it] of found) if (!expected.has(name)) differences.push(`${name}: ${it} instead of none`);
  return differences.length === 0
    ? undefined
    : differences.slice(0, 5).join('; ') + (differences.length > 5 ? `; and ${differences.length - 5} more` : '');
}
