import type { InspectedEpoch } from '../../lib/inspect/epochs.ts';

/** A piece of work on one epoch, in the lane of its stage, or of what comes behind the stages. */
export interface Bar {
  readonly lane: string;
  readonly epoch: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Timeline {
  /** The stages in the order in which an epoch goes through them, then `decide`, then `commit`. */
  readonly lanes: readonly string[];
  readonly bars: readonly Bar[];
}

export const DECIDE = 'decide';
export const COMMIT = 'commit';
/** Of an epoch of which it is not known which stage worked when. */
export const WHOLE = 'epoch';

/**
 * What was done when, of these epochs. How long an epoch's decision and commit took is written with the next one: of the newest it is not known yet.
 *
 * @param stages their order; those that it does not name come behind
 */
export function timelineOf(epochs: readonly InspectedEpoch[], stages: readonly string[]): Timeline {
  const bars = epochs.flatMap((epoch, index) => barsOf(epoch, epochs[index + 1]));
  const seen = new Set(bars.map(({ lane }) => lane));
  const known = [...stages, ...[...seen].filter((lane) => !stages.includes(lane) && !LAST.includes(lane)), ...LAST];
  return { lanes: known.filter((lane) => seen.has(lane)), bars };
}

const LAST: readonly string[] = [WHOLE, DECIDE, COMMIT];

function barsOf(epoch: InspectedEpoch, next: InspectedEpoch | undefined): Bar[] {
  const { plannedAtMs, decidedAtMs, stages } = epoch;
  const own = (lane: string, fromMs: number, ms: number): Bar => ({ lane, epoch: epoch.epoch, fromMs, toMs: fromMs + ms });
  if (stages === undefined) return plannedAtMs < decidedAtMs ? [own(WHOLE, plannedAtMs, decidedAtMs - plannedAtMs)] : [];
  const bars = Object.entries(stages).map(([stage, { afterMs, ms }]) => own(stage, plannedAtMs + afterMs, ms));
  const before = next?.epoch === epoch.epoch + 1 ? next.before : undefined;
  if (before === undefined) return bars;
  return [...bars, own(DECIDE, decidedAtMs, before.decisionMs), own(COMMIT, decidedAtMs + before.decisionMs, before.commitMs)];
}

/** Whole steps of 1, 2 or 5 in a decade, five to ten in `spanMs`. */
export function ticksIn(fromMs: number, spanMs: number): number[] {
  const decade = 10 ** Math.floor(Math.log10(spanMs / 5));
  const step = [5, 2, 1].map((factor) => factor * decade).find((candidate) => spanMs / candidate >= 5) ?? decade;
  const ticks: number[] = [];
  for (let ms = Math.ceil(fromMs / step) * step; ms < fromMs + spanMs; ms += step) ticks.push(ms);
  return ticks;
}
