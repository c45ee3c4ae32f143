import type { WindowShape } from '../../lib/graph/windows.ts';

/*
 * Windows by the rules as they are documented, and nothing else: every window is a list of values, every rule is looked up in all of
 * them. It shares no code with the engine.
 */

export interface NaiveRow {
  readonly key: string;
  readonly timestamp: number;
  readonly value: unknown;
}

export interface NaiveTime {
  readonly beforeMs: number | undefined;
  readonly afterMs: number | undefined;
  readonly processingMs: number;
}

export interface NaiveResult {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  /** In order of arrival. */
  readonly rows: readonly { readonly atMs: number; readonly value: unknown }[];
  readonly isEarly: boolean;
  readonly isUpdate: boolean;
  /** Of the result. */
  readonly timestamp: number;
}

interface NaiveOptions {
  readonly allowedLatenessMs: number;
  readonly earlyEveryMs: number | undefined;
  readonly time: 'event' | 'processing' | undefined;
}

/** One window, or session. */
interface Kept {
  readonly key: string;
  /** Undefined: a session. */
  readonly bounds: readonly [number, number] | undefined;
  rows: { readonly atMs: number; readonly value: unknown }[];
  /** Since its last result that was due. */
  isTouched: boolean;
  /** When an early result is due of it. Undefined: it has not changed since the last one. */
  earlyAtMs: number | undefined;
  wasGiven: boolean;
}

interface Due {
  readonly domain: 'event' | 'processing';
  readonly timeMs: number;
  readonly rank: number;
  readonly result: NaiveResult;
}

export class NaiveWindows {
  readonly #shape: WindowShape;
  readonly #options: NaiveOptions;
  #kept: Kept[] = [];
  /** By key: times at which early results are looked for. */
  readonly #early = new Map<string, Set<number>>();

  constructor(shape: WindowShape, options: NaiveOptions) {
    this.#shape = shape;
    this.#options = options;
  }

  /** Keys that have windows. One that had may still have a time for early results, at which there is nothing. */
  get openKeys(): ReadonlySet<string> {
    return new Set(this.#kept.map(({ key }) => key));
  }

  /** Takes in an epoch: answers all results in their order, and the rows that are late. @param order of keys, at one time */
  run(
    rows: readonly NaiveRow[],
    time: NaiveTime,
    order: (one: string, other: string) => number,
  ): { readonly results: readonly NaiveResult[]; readonly late: readonly NaiveRow[] } {
    const late: NaiveRow[] = [];
    const atOnce: NaiveResult[] = [];
    for (const row of rows) {
      if (this.#shape.kind === 'count') atOnce.push(...this.#count(row, this.#shape.size));
      else if (!this.#take(row, time)) late.push(row);
    }
    if (this.#shape.kind === 'count') return { results: atOnce, late };
    const due = this.#passTime(time);
    due.sort(
      (one, other) =>
        Number(one.domain === 'processing') - Number(other.domain === 'processing') ||
        one.timeMs - other.timeMs ||
        order(one.result.key, other.result.key) ||
        one.rank - other.rank ||
        one.result.endMs - other.result.endMs,
    );
    return { results: due.map(({ result }) => result), late };
  }

  #beforeOf({ beforeMs }: NaiveTime): number {
    return this.#options.time === 'event' ? (beforeMs ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  }

  /** The last millisecond that is over. */
  #overOf({ afterMs, processingMs }: NaiveTime): number {
    return this.#options.time === 'event' ? (afterMs ?? Number.NEGATIVE_INFINITY) : processingMs - 1;
  }

  #count({ key, timestamp, value }: NaiveRow, size: number): NaiveResult[] {
    let kept = this.#kept.find((each) => each.key === key);
    if (kept === undefined) {
      kept = { key, bounds: undefined, rows: [], isTouched: false, earlyAtMs: undefined, wasGiven: false };
      this.#kept.push(kept);
    }
    kept.rows.push({ atMs: timestamp, value });
    if (kept.rows.length < size) return [];
    this.#kept = this.#kept.filter((each) => each !== kept);
    const times = kept.rows.map(({ atMs }) => atMs);
    const [startMs, endMs] = [Math.min(...times), Math.max(...times) + 1];
    return [{ key, startMs, endMs, rows: kept.rows, isEarly: false, isUpdate: false, timestamp }];
  }

  /** Is it in any window? */
  #take({ key, timestamp, value }: NaiveRow, time: NaiveTime): boolean {
    const { earlyEveryMs } = this.#options;
    const atMs = this.#options.time === 'event' ? timestamp : time.processingMs;
    const before = this.#beforeOf(time);
    const windows = this.#shape.kind === 'session' ? this.#session(key, atMs, this.#shape.gapMs, before) : this.#aligned(key, atMs, before);
    for (const window of windows) {
      window.rows.push({ atMs, value });
      window.isTouched = true;
      if (earlyEveryMs === undefined) continue;
      const nextMs = (Math.floor(time.processingMs / earlyEveryMs) + 1) * earlyEveryMs;
      window.earlyAtMs = Math.min(window.earlyAtMs ?? nextMs, nextMs);
      this.#early.set(key, (this.#early.get(key) ?? new Set()).add(nextMs));
    }
    return windows.length > 0;
  }

  #aligned(key: string, atMs: number, before: number): Kept[] {
    return boundsAround(this.#shape, atMs)
      .filter(([, endMs]) => endMs - 1 + this.#options.allowedLatenessMs > before)
      .map((bounds) => {
        const known = this.#kept.find((each) => each.key === key && each.bounds?.[0] === bounds[0] && each.bounds[1] === bounds[1]);
        if (known !== undefined) return known;
        const made = { key, bounds, rows: [], isTouched: false, earlyAtMs: undefined, wasGiven: false };
        this.#kept.push(made);
        return made;
      });
  }

  /** The session that the time belongs to, alone. Rows of several that touch become one's, in the order of their sessions. */
  #session(key: string, atMs: number, gapMs: number, before: number): Kept[] {
    const near = this.#kept
      .filter((each) => each.key === key && each.rows.some((row) => Math.abs(row.atMs - atMs) <= gapMs))
      .sort((one, other) => firstOf(one) - firstOf(other));
    if (near.length === 0 && atMs + gapMs + this.#options.allowedLatenessMs <= before) return [];
    const made: Kept = {
      key,
      bounds: undefined,
      rows: near.flatMap(({ rows }) => rows),
      isTouched: true,
      earlyAtMs: Math.min(...near.map(({ earlyAtMs = Number.POSITIVE_INFINITY }) => earlyAtMs)),
      wasGiven: near.some(({ wasGiven }) => wasGiven),
    };
    this.#kept = [...this.#kept.filter((each) => !near.includes(each)), made];
    return [made];
  }

  #boundsOf(window: Kept): readonly [number, number] {
    if (window.bounds !== undefined) return window.bounds;
    const gapMs = this.#shape.kind === 'session' ? this.#shape.gapMs : 0;
    return [firstOf(window), Math.max(...window.rows.map(({ atMs }) => atMs)) + gapMs];
  }

  /** The last millisecond that has to be over: of a session the one at which a value could still belong to it. */
  #lastOf(window: Kept): number {
    return window.bounds === undefined ? this.#boundsOf(window)[1] : window.bounds[1] - 1;
  }

  /** Event time comes first; of processing time each moment by itself, windows before early results. */
  #passTime(time: NaiveTime): Due[] {
    const { processingMs } = time;
    const isEvent = this.#options.time === 'event';
    const due = isEvent ? this.#close(this.#overOf(time), time) : [];
    const ends = isEvent ? [] : this.#kept.map((window) => this.#lastOf(window) + 1);
    const times = new Set([...ends, ...[...this.#early.values()].flatMap((each) => [...each])]);
    for (const timeMs of [...times].sort((one, other) => one - other)) {
      if (timeMs > processingMs) continue;
      if (!isEvent) due.push(...this.#close(timeMs - 1, time));
      for (const [key, each] of this.#early) if (each.delete(timeMs)) due.push(...this.#giveEarly(key, timeMs, time));
    }
    return due;
  }

  #close(over: number, time: NaiveTime): Due[] {
    const before = this.#beforeOf(time);
    const isEvent = this.#options.time === 'event';
    const due: Due[] = [];
    for (const window of this.#kept) {
      const last = this.#lastOf(window);
      if (last > over || !window.isTouched) continue;
      const isUpdate = last <= before || (window.bounds === undefined && window.wasGiven);
      due.push({
        domain: isEvent ? 'event' : 'processing',
        timeMs: isEvent ? last : last + 1,
        rank: 0,
        result: this.#resultOf(window, false, isUpdate),
      });
      window.isTouched = false;
      window.wasGiven = true;
    }
    this.#kept = this.#kept.filter((window) => this.#lastOf(window) + this.#options.allowedLatenessMs > over);
    return due;
  }

  /** Of all windows of the key that have changed, when it is due of any. */
  #giveEarly(key: string, timeMs: number, time: NaiveTime): Due[] {
    const changed = this.#kept.filter((window) => window.key === key && window.earlyAtMs !== undefined);
    if (!changed.some(({ earlyAtMs }) => (earlyAtMs as number) <= timeMs)) return [];
    return changed.flatMap((window): Due[] => {
      window.earlyAtMs = undefined;
      if (this.#lastOf(window) <= this.#overOf(time)) return [];
      const isUpdate = window.bounds === undefined && window.wasGiven;
      return [{ domain: 'processing', timeMs, rank: 1, result: this.#resultOf(window, true, isUpdate) }];
    });
  }

  #resultOf(window: Kept, isEarly: boolean, isUpdate: boolean): NaiveResult {
    const [startMs, endMs] = this.#boundsOf(window);
    return {
      key: window.key,
      startMs,
      endMs,
      rows: [...window.rows],
      isEarly,
      isUpdate,
      timestamp: window.bounds === undefined ? endMs : endMs - 1,
    };
  }
}

function firstOf({ rows }: Kept): number {
  return Math.min(...rows.map(({ atMs }) => atMs));
}

/** All windows that the time lies in. */
function boundsAround(shape: WindowShape, atMs: number): (readonly [number, number])[] {
  const all: (readonly [number, number])[] = [];
  const add = (stepMs: number, offsetMs: number, spans: readonly number[]) => {
    const most = Math.max(...spans);
    for (let at = Math.floor((atMs - offsetMs - most) / stepMs) - 1; at * stepMs + offsetMs <= atMs; at++)
      for (const span of spans) all.push([at * stepMs + offsetMs, at * stepMs + offsetMs + span]);
  };
  if (shape.kind === 'tumbling') add(shape.sizeMs, shape.offsetMs, [shape.sizeMs]);
  if (shape.kind === 'sliding') add(shape.slideMs, shape.offsetMs, [shape.sizeMs]);
  if (shape.kind === 'cumulating')
    add(
      shape.maxSizeMs,
      shape.offsetMs,
      Array.from({ length: shape.maxSizeMs / shape.stepMs }, (_, index) => (index + 1) * shape.stepMs),
    );
  return all.filter(([startMs, endMs]) => startMs <= atMs && atMs < endMs);
}
