/** What one has and the other has not, or not as often. */
export function differences(found: readonly string[], expected: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const row of found) count.set(row, (count.get(row) ?? 0) + 1);
  for (const row of expected) count.set(row, (count.get(row) ?? 0) - 1);
  return [...count].flatMap(([row, n]) => (n === 0 ? [] : [n > 0 ? `${n} times too often: ${row}` : `missing: ${row}`]));
}
