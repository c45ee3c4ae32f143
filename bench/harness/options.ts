import type { parseArgs } from 'node:util';
import { UsageError } from '../../lib/config/usage-error.ts';

export const MODES = ['drain', 'latency', 'recovery', 'trickle', 'large-state'] as const;
export type Mode = (typeof MODES)[number];
/** Measured when none is named: large-state takes minutes and memory of its own. */
const DEFAULT_MODES: readonly Mode[] = ['drain', 'latency', 'recovery', 'trickle'];
export const SHAPES = ['words', 'large-values', 'tiny-values'] as const;

export interface Options {
  readonly modes: readonly Mode[];
  /** Undefined: what the mode compares by itself. */
  readonly peers: readonly string[] | undefined;
  readonly runs: number;
  /** Undefined: what the mode takes by itself. */
  readonly intervalMs: number | undefined;
  readonly partitions: number;
  readonly parallelism: number;
  readonly blobs: 'file' | 's3';
  readonly shape: (typeof SHAPES)[number];
  readonly lines: number;
  readonly linesPerSecond: number;
  readonly seconds: number;
  readonly skipSeconds: number;
  readonly kills: number;
  readonly idleSeconds: number;
  readonly keys: readonly [small: number, large: number];
  readonly changedKeys: number;
  readonly bursts: number;
  readonly flinkHeap: string;
  readonly flinkJvm: readonly string[];
  readonly flinkParallelism: number;
  readonly timeoutSeconds: number;
  /** Folder for CPU profiles; undefined: none are made. */
  readonly profiles: string | undefined;
  readonly results: string | undefined;
  readonly from: string | undefined;
  readonly draw: string | undefined;
}

export const FLAGS = {
  peers: { type: 'string' },
  runs: { type: 'string', default: '1' },
  interval: { type: 'string' },
  partitions: { type: 'string', default: '3' },
  parallelism: { type: 'string', default: '1' },
  blobs: { type: 'string', default: 'file' },
  shape: { type: 'string', default: 'words' },
  lines: { type: 'string', default: '1000000' },
  rate: { type: 'string', default: '2000' },
  seconds: { type: 'string', default: '15' },
  skip: { type: 'string', default: '5' },
  kills: { type: 'string', default: '2' },
  'idle-seconds': { type: 'string', default: '10' },
  keys: { type: 'string', default: '100000,10000000' },
  changed: { type: 'string', default: '10000' },
  bursts: { type: 'string', default: '10' },
  'flink-heap': { type: 'string', default: '1g' },
  'flink-jvm': { type: 'string', default: '' },
  'flink-parallelism': { type: 'string', default: '2' },
  timeout: { type: 'string', default: '300' },
  'cpu-prof': { type: 'string' },
  results: { type: 'string' },
  from: { type: 'string' },
  draw: { type: 'string' },
} as const;

type Flags = ReturnType<typeof parseArgs<{ readonly options: typeof FLAGS; readonly allowPositionals: true }>>['values'];

/** @throws UsageError that names the flag and what it takes */
export function readOptions(values: Flags, positionals: readonly string[]): Options {
  const [small = 0, large = 0, ...others] = values.keys.split(',').map((text) => whole('keys', text));
  if (large <= small || others.length > 0) throw new UsageError(`--keys takes two numbers, the smaller first, not "${values.keys}"`);
  return {
    modes: positionals.length === 0 ? DEFAULT_MODES : positionals.map((name) => oneOf('a mode', name, MODES)),
    peers: values.peers?.split(','),
    runs: whole('runs', values.runs),
    intervalMs: values.interval === undefined ? undefined : whole('interval', values.interval),
    partitions: whole('partitions', values.partitions),
    parallelism: whole('parallelism', values.parallelism),
    blobs: oneOf('--blobs', values.blobs, ['file', 's3']),
    shape: oneOf('--shape', values.shape, SHAPES),
    lines: whole('lines', values.lines),
    linesPerSecond: whole('rate', values.rate),
    seconds: whole('seconds', values.seconds),
    skipSeconds: whole('skip', values.skip),
    kills: whole('kills', values.kills),
    idleSeconds: whole('idle-seconds', values['idle-seconds']),
    keys: [small, large],
    changedKeys: whole('changed', values.changed),
    bursts: whole('bursts', values.bursts),
    flinkHeap: values['flink-heap'],
    flinkJvm: values['flink-jvm'].split(' ').filter((arg) => arg !== ''),
    flinkParallelism: whole('flink-parallelism', values['flink-parallelism']),
    timeoutSeconds: whole('timeout', values.timeout),
    profiles: values['cpu-prof'],
    results: values.results,
    from: values.from,
    draw: values.draw,
  };
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0) throw new UsageError(`--${flag} takes a whole number above 0, not "${text}"`);
  return value;
}

function oneOf<const T extends string>(what: string, given: string, known: readonly T[]): T {
  const found = known.find((each) => each === given);
  if (found === undefined) throw new UsageError(`${what} is "${given}": it must be one of ${known.join(', ')}`);
  return found;
}
