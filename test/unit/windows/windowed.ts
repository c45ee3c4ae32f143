import { type DataStream, defineJob, json, type KeyedStream, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import { createOperatorRuntime, type OperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { keyGroupOf } from '../../../lib/protocol/key-groups.ts';
import { compiled, partsTo, recordSet, stageContext, stagedRecords, throughBlob } from '../operators/runtimes.ts';

export interface Value {
  readonly k: string;
  /** Milliseconds. */
  readonly t: number;
  readonly v: number;
}

export interface WindowedEpoch {
  readonly rows: readonly Value[];
  /** The watermark of its end. Undefined: that of the epoch before. */
  readonly afterMs?: number | undefined;
  /** Undefined: that of the epoch before, and a millisecond. */
  readonly processingMs?: number | undefined;
  /** With so many subtasks, from snapshots. Undefined: it goes on in the same ones. */
  readonly parallelism?: number | undefined;
}

/** What is between the key and the sink. Its results are written as JSON. */
export type Windowing = (keyed: KeyedStream<string, Value>) => DataStream<unknown>;

export function windowedJob(windowing: Windowing, hasEventTime = true): JobDefinition {
  return defineJob('windows', (job) => {
    const timed = hasEventTime && {
      eventTime: { timestamp: ({ t }: Value) => t, maxOutOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY },
    };
    const keyed = job
      .source('src', kafkaSource({ topic: 'in', value: json<Value>(), ...timed }))
      .keyBy(({ k }) => k, utf8, { value: json<Value>() });
    windowing(keyed)
      .map((result) => JSON.stringify(result))
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
}

export interface Given {
  readonly timestamp: number;
  readonly result: unknown;
}

const MAX_PARALLELISM = 16;
/** What goes to the second comes behind the rest. */
const SINKS = ['out', 'late'];

/** Runs epochs through the engine's runtimes. Answers by epoch what is given, by subtask and in its order. */
export function runWindows(job: JobDefinition, epochs: readonly WindowedEpoch[]): Given[][] {
  const running = new RunningWindows(job);
  return epochs.map((epoch) => running.run(epoch));
}

export class RunningWindows {
  readonly #job: JobDefinition;
  #runtimes: OperatorRuntime[];
  /** By subtask: its base and its deltas. */
  #snapshots: Buffer[][];
  #beforeMs: number | undefined;
  #processingMs = 0;
  /** Of the next row. */
  #offset = 0;

  constructor(job: JobDefinition) {
    this.#job = job;
    this.#runtimes = [this.#runtime(0, 1)];
    this.#snapshots = [[]];
  }

  run({ rows, afterMs = this.#beforeMs, processingMs = this.#processingMs + 1, parallelism }: WindowedEpoch): Given[] {
    if (parallelism !== undefined) this.#restore(parallelism);
    const given = this.#attempt(rows, afterMs, processingMs);
    this.#runtimes.forEach((runtime, subtask) => {
      for (const state of runtime.states.values()) this.#snapshots[subtask]?.push(Buffer.concat(state.takeDelta()));
    });
    this.#beforeMs = afterMs;
    this.#processingMs = processingMs;
    this.#offset += rows.length;
    return given;
  }

  /** An epoch that is not decided: what it did is lost. */
  fail({ rows, afterMs = this.#beforeMs, processingMs = this.#processingMs + 1 }: WindowedEpoch): void {
    this.#attempt(rows, afterMs, processingMs);
    this.#restore(this.#runtimes.length);
  }

  /** Keys that have state. */
  get keys(): number {
    return this.#runtimes.flatMap(({ states }) => [...states.values()]).reduce((sum, { size }) => sum + size, 0);
  }

  /** Of the present snapshots, together. */
  get bytes(): number {
    return this.#snapshots.flat().reduce((sum, { length }) => sum + length, 0);
  }

  #attempt(rows: readonly Value[], afterMs: number | undefined, processingMs: number): Given[] {
    const parallelism = this.#runtimes.length;
    const source = createSourceRuntime(compiled(this.#job), 'src', context(parallelism));
    source.begin(undefined, undefined, { processingMs });
    if (rows.length > 0) {
      const records = recordSet(
        rows.map((row) => ({ value: JSON.stringify(row), timestamp: row.t })),
        this.#offset,
      );
      source.consume('in', 0, records, { from: this.#offset, to: this.#offset + rows.length, aborted: [] });
    }
    const parts = partsTo(source.finish(), 'op');
    return this.#runtimes.flatMap((runtime, subtask) => {
      runtime.begin({ beforeMs: this.#beforeMs, afterMs, processingMs });
      const part = parts[subtask];
      if (part !== undefined) runtime.consume(throughBlob(part));
      const output = runtime.finish();
      return SINKS.flatMap((sink) => [...stagedRecords(output, sink).values()].flat()).map(({ timestamp, value }) => ({
        timestamp: Number(timestamp),
        result: JSON.parse(value ?? ''),
      }));
    });
  }

  #restore(parallelism: number): void {
    const before = this.#snapshots;
    this.#runtimes = Array.from({ length: parallelism }, (_, subtask) => this.#runtime(subtask, parallelism));
    this.#snapshots = this.#runtimes.map(({ states }) => {
      const bases: Buffer[] = [];
      for (const state of states.values()) {
        for (const payloads of before) state.load(payloads);
        bases.push(Buffer.concat(state.takeBase()));
      }
      return bases;
    });
  }

  #runtime(subtask: number, parallelism: number): OperatorRuntime {
    return createOperatorRuntime(compiled(this.#job), 'op', context(parallelism), subtask);
  }
}

function context(parallelism: number) {
  return stageContext({ partitions: 1, parallelism, maxParallelism: MAX_PARALLELISM });
}

/** The order of keys at one time. */
export function byKey(one: string, other: string): number {
  const groupOf = (key: string) => keyGroupOf(murmur2(Buffer.from(key), 0, Buffer.byteLength(key)), MAX_PARALLELISM);
  return groupOf(one) - groupOf(other) || Buffer.compare(Buffer.from(one), Buffer.from(other));
}
