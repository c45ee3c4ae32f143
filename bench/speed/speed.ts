import { readFileSync } from 'node:fs';
import type { Mode } from '../harness/options.ts';
import type { RunResult } from '../harness/results.ts';
import { type Figure, type Group, groupsOf, isMet, largeStates, OURS, PEER, type Target } from '../harness/summary.ts';

/** The published figures (docs/speed.json): the table in docs/speed.md and docs/speed.svg are both made of them. */
export interface Speed {
  readonly machine: string;
  readonly charts: readonly Chart[];
}

/** What was measured with one setting. */
export interface Chart {
  /** Says what was done, for people; no two are the same. */
  readonly name: string;
  readonly mode: Mode;
  /** Which runs of the mode: those whose setting has these values. */
  readonly setting: Readonly<Record<string, string | number>>;
  readonly runs: number;
  readonly figures: readonly Published[];
}

export interface Published {
  readonly what: string;
  readonly metric: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly onceflow: Range;
  /** Absent: it was not measured. */
  readonly flink?: Range;
  /** Of the medians before they were rounded. Absent: of those that are here. */
  readonly ratio?: number;
  readonly target?: Target;
}

export type Range = { readonly median: number } & Partial<Pick<Figure, 'least' | 'most'>>;

export const SPEED_FILE = new URL('../../docs/speed.json', import.meta.url);

export function readSpeed(): Speed {
  return JSON.parse(readFileSync(SPEED_FILE, 'utf8')) as Speed;
}

export function ratioOf({ onceflow, flink, ratio }: Published): number | undefined {
  return flink === undefined ? undefined : (ratio ?? onceflow.median / flink.median);
}

/** Undefined: it has no target. */
export function meets({ target, onceflow, flink }: Published): boolean | undefined {
  return target === undefined ? undefined : isMet(target, onceflow.median, flink?.median);
}

/** The same with the figures of these runs, where they have some: what was not measured again stays as it was. */
export function measuredAgain(speed: Speed, results: readonly RunResult[]): Speed {
  const groups = groupsOf(results);
  return { ...speed, charts: speed.charts.map((chart) => chartOfRuns(chart, groups)) };
}

function chartOfRuns(chart: Chart, groups: readonly Group[]): Chart {
  const group = groups.find(
    ({ mode, setting, peers }) =>
      mode === chart.mode && peers.has(OURS) && Object.entries(chart.setting).every(([name, value]) => setting[name] === value),
  );
  if (group === undefined) return chart;
  const figures = chart.figures.map((published): Published => {
    const { ratio: _, ...others } = published;
    const [ours, theirs] = [OURS, PEER].map((peer) => group.peers.get(peer)?.metrics.get(published.metric));
    const onceflow = ours ?? derived(published.metric, groups);
    if (onceflow === undefined) return published;
    const both = theirs === undefined || theirs.median === 0 ? {} : { flink: theirs, ratio: onceflow.median / theirs.median };
    return { ...others, onceflow, ...both };
  });
  return { ...chart, runs: group.peers.get(OURS)?.runs ?? chart.runs, figures };
}

/** Of the many keys against the few. */
function derived(metric: string, groups: readonly Group[]): Range | undefined {
  const [state] = largeStates(groups);
  if (metric === 'bytesPerKey' && state !== undefined) return { median: state.bytesPerKey };
  return metric === 'epochRatio' && state?.epochRatio !== undefined ? { median: state.epochRatio } : undefined;
}
