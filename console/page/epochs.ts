import type { InspectedEpoch } from '../../lib/inspect/epochs.ts';
import type { EpochsShown } from '../server/panels.ts';

/** The epochs that the page knows, the oldest first. */
export type Known = Pick<EpochsShown, 'incarnation' | 'epochs' | 'lastCommitted' | 'retiredThrough'>;

const MOST = 1_000;

/** With what came since: of each epoch what was said last, and none of a job that was made anew. */
export function withNewer(known: Known | undefined, newer: EpochsShown): Known {
  if (known === undefined || known.incarnation !== newer.incarnation) return newer;
  const first = newer.epochs[0]?.epoch ?? Number.POSITIVE_INFINITY;
  const before = known.epochs.filter(({ epoch }) => epoch < first);
  return { ...newer, epochs: [...before, ...newer.epochs].slice(-MOST) };
}

/** As far as it is recorded. */
export function standingOf({ lastCommitted, retiredThrough }: Known, epoch: number): InspectedEpoch['standing'] {
  if (epoch <= retiredThrough) return 'retired';
  return epoch <= lastCommitted ? 'committed' : 'decided';
}

/** Records a second of the newest epochs: over some seconds, since one epoch more or less says nothing. */
export interface Rates {
  readonly read: number;
  readonly written: number;
  /** By edge of the plan. Empty: the epochs are of a build that did not say it. */
  readonly byEdge: ReadonlyMap<string, number>;
}

const OVER_MS = 10_000;

/** Of a job that stands still they go to 0 by themselves. */
export function ratesOf(epochs: readonly InspectedEpoch[], nowMs: number): Rates {
  const newest = epochs.filter(({ decidedAtMs }) => decidedAtMs > nowMs - OVER_MS);
  const first = epochs.length > newest.length ? epochs[epochs.length - newest.length - 1] : newest[0];
  const sinceMs = Math.max(first?.decidedAtMs ?? nowMs, nowMs - 2 * OVER_MS);
  const counted = first === newest[0] ? newest.slice(1) : newest;
  const seconds = Math.max(nowMs - sinceMs, 1) / 1_000;
  const sum = (of: (epoch: InspectedEpoch) => number) => counted.reduce((all, each) => all + of(each), 0) / seconds;
  const edges = new Set(counted.flatMap((each) => Object.keys(each.edges ?? {})));
  return {
    read: sum(({ recordsIn }) => recordsIn),
    written: sum(({ recordsOut }) => recordsOut),
    byEdge: new Map([...edges].map((edge) => [edge, sum((each) => each.edges?.[edge] ?? 0)])),
  };
}
