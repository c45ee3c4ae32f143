import { duration } from '../../lib/inspect/duration.ts';

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
