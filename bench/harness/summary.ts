import type { Mode } from './options.ts';
import type { RunResult } from './results.ts';
import { median } from './run.ts';

/** Runs of one mode with one setting: what is compared with each other. */
export interface Group {
  readonly mode: Mode;
  readonly setting: RunResult['setting'];
  /** By peer, in the order in which they ran. */
  readonly peers: ReadonlyMap<string, PeerSummary>;
}

export interface PeerSummary {
  readonly runs: number;
  readonly failed: readonly string[];
  readonly inexact: number;
  readonly load: readonly [least: number, most: number];
  readonly metrics: ReadonlyMap<string, Figure>;
}

export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function groupsOf(results: readonly RunResult[]): Group[] {
  const groups = Map.groupBy(results, ({ mode, setting }) => JSON.stringify([mode, setting]));
  return [...groups.values()].flatMap((runs) => {
    const [first] = runs;
    if (first === undefined) return [];
    const peers = Map.groupBy(runs, ({ peer }) => peer);
    return { mode: first.mode, setting: first.setting, peers: new Map([...peers].map(([peer, its]) => [peer, summaryOf(its)])) };
  });
}

function summaryOf(runs: readonly RunResult[]): PeerSummary {
  const done = runs.filter(({ error }) => error === undefined);
  const names = new Set(done.flatMap(({ metrics }) => Object.keys(metrics)));
  const loads = runs.flatMap(({ load }) => load);
  return {
    runs: done.length,
    failed: runs.flatMap(({ error }) => error ?? []),
    inexact: done.filter(({ exact }) => !exact).length,
    load: [Math.min(...loads), Math.max(...loads)],
    metrics: new Map([...names].map((name) => [name, figureOf(done.flatMap(({ metrics }) => metrics[name] ?? []))])),
  };
}

function figureOf(values: readonly number[]): Figure {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

export const OURS = 'onceflow';
export const PEER = 'flink';
/** Fewer records than this, and a JVM is still warming up. */
const WARM_RECORDS = 16e6;
const WORDS_A_LINE = 8;

/** What a metric is to reach: of the peer's, or by itself. */
export type Target =
  | { readonly ratio: 'at least' | 'at most'; readonly of: number }
  | { readonly limit: 'at least' | 'at most'; readonly of: number };

export function targetOf({ mode, setting }: Group, metric: string): Target | undefined {
  const { shape, blobs, intervalMs = 0, lines = 0 } = setting;
  const atMost = (of: number): Target => ({ ratio: 'at most', of });
  const limit = (of: number): Target => ({ limit: 'at most', of });
  switch (`${mode} ${metric}`) {
    case 'drain recordsPerSecond':
      return shape === 'words' ? { ratio: 'at least', of: blobs === 's3' ? 1.5 : 2 } : undefined;
    case 'drain recordsPerSecondFromStart':
      return shape === 'words' ? { ratio: 'at least', of: Number(lines) * WORDS_A_LINE < WARM_RECORDS ? 3 : 2.2 } : undefined;
    case 'drain cpuSeconds':
      return shape === 'words' ? atMost(0.45) : undefined;
    case 'drain peakMb':
      return shape === 'words' ? atMost(1) : undefined;
    case 'latency p50Ms':
      return Number(intervalMs) <= 50 ? limit(40) : atMost(1);
    case 'latency p99Ms':
      return Number(intervalMs) <= 50 ? limit(120) : atMost(1);
    case 'latency cpuSeconds':
      return Number(intervalMs) <= 50 ? atMost(1) : undefined;
    case 'recovery resumeSeconds':
      return limit(1.5);
    case 'trickle epochsPerSecond':
      return { limit: 'at least', of: 20 };
    case 'trickle idleWrites':
      return limit(0);
    case 'large-state restartSeconds':
      return limit(15);
    default:
      return undefined;
  }
}

export function isMet(target: Target, ours: number, peers: number | undefined): boolean | undefined {
  const value = 'limit' in target ? ours : peers === undefined ? undefined : ours / peers;
  if (value === undefined) return undefined;
  return ('limit' in target ? target.limit : target.ratio) === 'at least' ? value >= target.of : value <= target.of;
}

/** What the state of many keys costs, against that of few with as many changed. */
export interface LargeState {
  readonly keys: readonly [small: number, large: number];
  readonly epochRatio: number | undefined;
  readonly bytesPerKey: number;
}

export function largeStates(groups: readonly Group[]): LargeState[] {
  const all = groups.filter(({ mode, peers }) => mode === 'large-state' && peers.has(OURS)).sort((a, b) => keysOf(a) - keysOf(b));
  const [small, ...others] = all;
  if (small === undefined) return [];
  const figure = (group: Group, metric: string) => group.peers.get(OURS)?.metrics.get(metric)?.median;
  return others.map((large) => {
    const [less, more] = [figure(small, 'epochMs'), figure(large, 'epochMs')];
    const mb = (figure(large, 'restPssMb') ?? 0) - (figure(small, 'restPssMb') ?? 0);
    return {
      keys: [keysOf(small), keysOf(large)],
      epochRatio: less === undefined || more === undefined ? undefined : more / less,
      bytesPerKey: (mb * 2 ** 20) / (keysOf(large) - keysOf(small)),
    };
  });
}

function keysOf({ setting }: Group): number {
  return Number(setting['keys']);
}
