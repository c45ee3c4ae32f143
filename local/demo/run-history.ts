import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';

/** A piece of work on one epoch, on the lane of its stage, or of `decide` or `commit`. */
export interface Bar {
  readonly lane: string;
  readonly epoch: number;
  readonly fromMs: number;
  /** Undefined while it is under way. */
  toMs: number | undefined;
  /** Its attempt was given up: nothing of it is ever visible. */
  dropped: boolean;
}

export type MarkKind = 'killed' | 'failed' | 'fenced' | 'republished' | 'started';

/** Something that happened at one moment. */
export interface Mark {
  readonly kind: MarkKind;
  readonly atMs: number;
  readonly what: string;
}

export const DECIDE = 'decide';
export const COMMIT = 'commit';

/** Who worked on which epoch when, from what the coordinator tells. Times are those at which it was told. */
export class RunHistory {
  readonly bars: Bar[] = [];
  readonly marks: Mark[] = [];
  /** The stages in the order in which an epoch goes through them, then `decide`, then `commit`. */
  readonly lanes: readonly string[];
  readonly #lastStage: string | undefined;
  #open: Bar[] = [];

  constructor(stages: readonly string[]) {
    this.lanes = [...stages, DECIDE, COMMIT];
    this.#lastStage = stages.at(-1);
  }

  /** Work that is not over. */
  get underWay(): readonly Bar[] {
    return this.#open;
  }

  mark(kind: MarkKind, atMs: number, what: string): void {
    this.marks.push({ kind, atMs, what });
  }

  take(event: CoordinatorEvent, atMs: number): void {
    switch (event.event) {
      case 'lease-taken':
        // What its predecessor was at is given up, but for what it had decided: that is committed before anything else.
        this.#drop((event.lastCompleted ?? -1) + 1, atMs);
        this.#close(atMs, () => true);
        return this.mark('started', atMs, `generation ${event.generation} takes the lease`);
      case 'recovered':
        if (event.republished > 0) this.mark('republished', atMs, `epoch ${event.epoch} is published again by a new coordinator`);
        return;
      case 'stage-started':
        return this.#begin(event.stage, event.epoch, atMs);
      case 'stage-done':
        this.#end(event.stage, event.epoch, atMs);
        if (event.stage === this.#lastStage) this.#begin(DECIDE, event.epoch, atMs);
        return;
      case 'attempt-failed':
        this.#drop(event.epoch, atMs);
        return this.mark('failed', atMs, `epoch ${event.epoch} fails in ${event.stage}`);
      case 'decided':
        this.#end(DECIDE, event.epoch, atMs);
        return this.#begin(COMMIT, event.epoch, atMs);
      case 'committed':
        this.#end(COMMIT, event.epoch, atMs);
        if (event.republished > 0) this.mark('republished', atMs, `epoch ${event.epoch} is published again`);
        return;
      default:
        return;
    }
  }

  #begin(lane: string, epoch: number, fromMs: number): void {
    const bar: Bar = { lane, epoch, fromMs, toMs: undefined, dropped: false };
    this.bars.push(bar);
    this.#open.push(bar);
  }

  #end(lane: string, epoch: number, atMs: number): void {
    this.#close(atMs, (bar) => bar.lane === lane && bar.epoch === epoch);
  }

  /** A failed epoch takes along every later one. */
  #drop(firstEpoch: number, atMs: number): void {
    for (const bar of this.#close(atMs, ({ epoch }) => epoch >= firstEpoch)) bar.dropped = true;
  }

  #close(atMs: number, which: (bar: Bar) => boolean): Bar[] {
    const closed = this.#open.filter(which);
    for (const bar of closed) bar.toMs = atMs;
    this.#open = this.#open.filter((bar) => !which(bar));
    return closed;
  }
}

export interface Overlap {
  /** Most epochs that were worked on at one moment. */
  readonly most: number;
  /** Share of the working time in which there were two or more. */
  readonly share: number;
}

export function overlapOf(bars: readonly Bar[]): Overlap {
  const changes = bars
    .flatMap(({ epoch, fromMs, toMs }) =>
      toMs === undefined
        ? []
        : [
            { atMs: fromMs, epoch, by: 1 },
            { atMs: toMs, epoch, by: -1 },
          ],
    )
    .sort((one, other) => one.atMs - other.atMs || one.by - other.by);
  const open = new Map<number, number>();
  let [most, working, overlapping, sinceMs] = [0, 0, 0, 0];
  for (const { atMs, epoch, by } of changes) {
    if (open.size > 0) working += atMs - sinceMs;
    if (open.size > 1) overlapping += atMs - sinceMs;
    sinceMs = atMs;
    const left = (open.get(epoch) ?? 0) + by;
    if (left === 0) open.delete(epoch);
    else open.set(epoch, left);
    most = Math.max(most, open.size);
  }
  return { most, share: working === 0 ? 0 : overlapping / working };
}
