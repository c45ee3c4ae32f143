import {
  defineJob,
  type EventTime,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  type Output,
  type TimeWindows,
  utf8,
  valueState,
  type WindowOptions,
} from '../../../lib/api/index.ts';
import { type TestJob, type TestOptions, testJob } from '../../../lib/testing/index.ts';

/** A record with a time, and what its key is to do about timers. */
export interface Step {
  readonly key?: string;
  /** Event time. */
  readonly at?: number;
  readonly set?: readonly number[];
  readonly delete?: readonly number[];
  readonly setProcessing?: readonly number[];
  readonly deleteProcessing?: readonly number[];
  /** To be done when a timer of event time fires, by its time. */
  readonly next?: Readonly<Record<string, Pick<Step, 'set' | 'delete'>>>;
}

type Strategy = Partial<EventTime<Step>>;

/** Times only go forward, unless something else is said. */
const stepsOf = (topic: string, strategy: Strategy = {}) =>
  kafkaSource({
    topic,
    value: json<Step>(),
    eventTime: {
      timestamp: ({ at = 0 }: Step) => at,
      maxOutOfOrdernessMs: 0,
      maxAheadMs: Number.POSITIVE_INFINITY,
      ...strategy,
    } as EventTime<Step>,
  });

export interface Sources {
  readonly strategy?: Strategy;
  /** Are records given in the order of their times? @default false */
  readonly inTimeOrder?: boolean;
}

/** Says of each record when it saw which watermark, and of each timer that it fired. */
export function timers({ strategy, inTimeOrder = false }: Sources = {}, options?: TestOptions): TestJob {
  const job = defineJob('timers', (builder) => {
    const keyed = builder.source('read', stepsOf('in', strategy)).keyBy(({ key = 'a' }) => key, utf8);
    const operator = {
      state: { next: valueState(json<NonNullable<Step['next']>>(), {}), fired: valueState(int64, 0) },
      onRecord(
        step: Step,
        { next: planned }: { next: { set(value: NonNullable<Step['next']>): void } },
        out: Output<string>,
        context: Context,
      ) {
        if (step.next !== undefined) planned.set(step.next);
        for (const at of step.set ?? []) context.timers.setEventTime(at);
        for (const at of step.delete ?? []) context.timers.deleteEventTime(at);
        for (const at of step.setProcessing ?? []) context.timers.setProcessingTime(at);
        for (const at of step.deleteProcessing ?? []) context.timers.deleteProcessingTime(at);
        if (step.at !== undefined) out.emit(`${context.key} at ${step.at}`);
      },
      onTimer(
        { domain, timeMs }: { domain: string; timeMs: number },
        { next: planned, fired }: Held,
        out: Output<string>,
        context: Context,
      ) {
        out.emit(`${context.key} ${domain} ${timeMs}, ${fired.update((n) => n + 1)}`);
        const next = domain === 'event' ? planned.get()[timeMs] : undefined;
        for (const at of next?.set ?? []) context.timers.setEventTime(at);
        for (const at of next?.delete ?? []) context.timers.deleteEventTime(at);
      },
    };
    const made = inTimeOrder ? keyed.process('time', { ...operator, inTimeOrder: true }) : keyed.process('time', operator);
    made.sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  });
  return testJob(job, options);
}

interface Held {
  readonly next: { get(): NonNullable<Step['next']> };
  readonly fired: { update(fn: (n: number) => number): number };
}

interface Context {
  readonly key: string;
  readonly timers: {
    setEventTime(at: number): void;
    deleteEventTime(at: number): void;
    setProcessingTime(at: number): void;
    deleteProcessingTime(at: number): void;
  };
}

/** Counts the values of windows: `[start, end) count`. */
export function windows(given: TimeWindows, { strategy, ...windowing }: WindowOptions & Sources = {}, options?: TestOptions): TestJob {
  const job = defineJob('windows', (builder) => {
    const counted = builder
      .source('read', stepsOf('in', strategy))
      .keyBy(({ key = 'a' }) => key, utf8)
      .window(given, windowing)
      .aggregate('count', {
        accumulator: int64,
        initial: 0,
        add: (n: number) => n + 1,
        merge: (one: number, other: number) => one + other,
        result: (n, { startMs, endMs, isUpdate, isEarly }) =>
          `[${startMs}, ${endMs}) ${n}${isUpdate ? ' update' : ''}${isEarly ? ' early' : ''}`,
      });
    counted.sink('write', kafkaSink({ topic: 'out', value: utf8 }));
    counted.late.map(({ at }) => `late ${at}`).sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
  });
  return testJob(job, options);
}

/** One epoch with these records. Answers what came of it. */
export async function epoch(job: TestJob, ...steps: readonly (Step & { readonly partition?: number })[]): Promise<readonly unknown[]> {
  const before = job.values('write').length;
  for (const { partition = 0, ...value } of steps) job.pushRecords('read', { value, partition });
  await job.runEpoch();
  return job.values('write').slice(before);
}

/** The watermark is moved on. Answers what came of it. */
export async function watermark(job: TestJob, toMs: number): Promise<readonly unknown[]> {
  const before = job.values('write').length;
  await job.advanceWatermark('read', toMs);
  return job.values('write').slice(before);
}

/** Records at these times. */
export const at = (...times: readonly number[]): Step[] => times.map((time) => ({ at: time }));
