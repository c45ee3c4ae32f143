import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WriteAheadSink } from '../../api/write-ahead.ts';
import type { Clock, Random } from '../../ports/clock.ts';
import type { KafkaRequests } from '../../ports/kafka-requests.ts';
import type { SinkTargets } from '../../ports/sink-targets.ts';
import type { SinkSpec } from '../../sinks/kinds.ts';
import { drills } from './drills.ts';
import { type BenchOptions, SinkBench } from './sink-bench.ts';

/** A history that a sink must come through: a test, for whichever framework. */
export interface SinkDrill {
  /** What it shows, as a claim. */
  readonly name: string;
  /** Rejects with what it found. One at a time. */
  readonly run: () => Promise<void>;
}

/** What the drills need to know of a sink. */
export interface SinkDrillOptions<T> {
  /** As `writeAheadSink` made it. */
  readonly sink: WriteAheadSink<T>;
  /** Row number n, another one for each n. */
  readonly row: (n: number) => T;
  /** How a reader of the target shows row number n. */
  readonly shown: (n: number) => string;
  /** All that a reader sees in the target now. The target is empty at first, and used by these drills alone. */
  readonly read: () => readonly string[] | Promise<readonly string[]>;
  /** May the target have a row more than once after a fault, because it cannot tell? @default false */
  readonly repeats?: boolean;
}

/**
 * Tests of a sink's functions against its target: processes die before and behind each call of `deliver` and `delivered`, calls fail,
 * epochs are delivered again and by several processes at once. After each of that every row that was decided is there once, and no other.
 *
 * @example
 * for (const { name, run } of sinkDrills({ sink, row: (n) => ({ id: n }), shown: (n) => `row ${n}`, read })) test(name, run);
 */
export function sinkDrills<T>({ sink, row, shown, read, repeats = false }: SinkDrillOptions<T>): readonly SinkDrill[] {
  return drillsOn(async () => ({
    spec: sink as SinkSpec,
    row,
    shown,
    read: async () => read(),
    kafka: nothing('Kafka') as KafkaRequests,
    targets: nothing('another target') as SinkTargets,
    clock,
    random,
    repeats,
  }));
}

/** The drills for any connector. @param open called once for each drill */
export function drillsOn(open: () => Promise<BenchOptions>, of: 'prepared' | 'delivered' = 'delivered'): readonly SinkDrill[] {
  let nextRow = 0;
  return drills
    .filter((drill) => drill.of === of)
    .map(({ name, run }) => ({
      name,
      async run() {
        const bench = new SinkBench(await open(), nextRow);
        try {
          await run(bench);
        } finally {
          nextRow = bench.nextRow;
        }
      },
    }));
}

function nothing(what: string): object {
  return new Proxy(
    {},
    {
      get: (_target, name) => {
        throw new Error(`a function of the job's author has nothing to do with ${what} (${String(name)})`);
      },
    },
  );
}

const clock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? { ref: false } : { ref: false, signal }).catch(() => {}),
};
const random: Random = { id: () => randomUUID().replaceAll('-', ''), fraction: () => Math.random() };
