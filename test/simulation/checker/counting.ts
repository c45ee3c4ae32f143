/** How often each value is there. */
export function multiset(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Adds the keys to the counts under `uid`, which are returned. */
export function count(into: Map<string, Map<string, number>>, uid: string, keys: readonly string[]): Map<string, number> {
  const counts = into.get(uid) ?? new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  into.set(uid, counts);
  return counts;
}

export function range(after: number, to: number): number[] {
  return Array.from({ length: Math.max(to - after, 0) }, (_, index) => after + 1 + index);
}

/** For people: the first differences; undefined when there is none. */
export function differenceOf(expected: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): string | undefined {
  const differences: string[] = [];
  for (const [key, n] of expected) if (found.get(key) !== n) differences.push(`${key}: ${found.get(key) ?? 0} instead of ${n}`);
  for (const [key, n] of found) if (!expected.has(key)) differences.push(`${key}: ${n} instead of none`);
  return differences.length === 0
    ? undefined
    : differences.slice(0, 5).join('; ') + (differences.length > 5 ? `; and ${differences.length - 5} more` : '');
}
