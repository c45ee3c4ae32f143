const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `7 d`, `36 h`, `90 min`: in the largest unit that needs no fraction. */
export function plainDuration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? (['ms', 1] as const);
  return `${ms / size} ${unit}`;
}
