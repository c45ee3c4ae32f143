/** `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

const GROUPED = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function number(count: number): string {
  return GROUPED.format(count);
}

/** `940`, `1.2 k`, `35 M`: where there is little room. */
export function short(count: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (count >= size) return `${(count / size).toFixed(count / size < 10 ? 1 : 0)} ${unit}`;
  return count < 10 && !Number.isInteger(count) ? count.toFixed(1) : `${Math.round(count)}`;
}

export function bytes(count: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['KB', 1e3],
  ] as const)
    if (count >= size) return `${(count / size).toFixed(1)} ${unit}`;
  return plural(count, 'byte');
}

const LAST_DATE_MS = 8.64e15;

/** UTC, as in logs; of a time that no date has its number. */
export function moment(ms: number): string {
  return Math.abs(ms) <= LAST_DATE_MS ? `${new Date(ms).toISOString().replace('T', ' ').slice(0, 19)} UTC` : `${ms} ms`;
}

export function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

export function ago(ms: number, nowMs: number): string {
  return `${duration(nowMs - ms)} ago`;
}
