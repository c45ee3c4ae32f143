import {
  countWindows,
  type DataStream,
  defineJob,
  int64,
  type JobDefinition,
  json,
  type KeyedOperator,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type Output,
  type Timers,
  utf8,
  type ValueStateSpec,
  valueState,
  type WindowContext,
  type WindowStream,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';
import type { Value } from '../../unit/windows/windowed.ts';
import { timeWindows } from '../windows.ts';
import type { Case, Given, Rounds, TimerAction, TimersCase, WindowsCase } from './case.ts';
import { numbered } from './numbered.ts';

type Keyed = KeyedStream<string, Value>;
type Result = Omit<Given, 'timestamp'>;

interface Made {
  readonly results: DataStream<Result>;
  /** Undefined: nothing is late. */
  readonly late?: DataStream<Value>;
}

/** What comes with a watermark and is no row. */
interface Mark {
  readonly watermarkMs: number;
}

/** Its records say what the watermark is. */
const steps = kafkaSource({
  topic: 'in',
  value: json<Value | Mark>(),
  eventTime: {
    timestamp: (step) => ('t' in step ? step.t : 0),
    watermark: (step) => ('watermarkMs' in step ? step.watermarkMs : undefined),
    maxAheadMs: Number.POSITIVE_INFINITY,
  },
});
const written = kafkaSink({ topic: 'out', value: json<Result>() });

/** What a job gives in memory: each round is an epoch, in the middle of a case at another parallelism. */
export async function ours(asked: Case): Promise<Rounds> {
  const job = testJob(jobOf(asked));
  const rounds: (readonly Given[])[] = [];
  let given = 0;
  for (const { rows, watermarkMs, processingMs, parallelism } of numbered(asked)) {
    if (parallelism !== undefined) job.restore({ parallelism });
    await job.advanceProcessingTime({ toMs: Math.max(processingMs, job.nowMs), job: 'down' });
    job.push(steps, ...rows, ...(watermarkMs === undefined ? [] : [{ watermarkMs }]));
    await job.runEpoch();
    const all = job.output(written).map(({ timestamp, value }) => ({ ...(value as Result), timestamp }));
    rounds.push(all.slice(given));
    given = all.length;
  }
  return rounds;
}

function jobOf(asked: Case): JobDefinition {
  return defineJob('asked', (builder) => {
    const keyed = builder
      .source('read', steps)
      .filter((step) => 't' in step)
      .keyBy(({ k }) => k, utf8, { value: json<Value>() });
    const { results, late } = asked.kind === 'windows' ? windowsOf(asked, keyed) : timersOf(asked, keyed);
    const ofLate = late?.map(({ k, v }): Result => ({ key: k, late: v }));
    (ofLate === undefined ? results : results.union(ofLate)).sink('write', written);
  });
}

function windowsOf(asked: WindowsCase, keyed: Keyed): Made {
  const results = windowResults(asked, keyed);
  return { results, late: results.late };
}

function windowResults({ shape, time, allowedLatenessMs, make }: WindowsCase, keyed: Keyed): WindowStream<Result, Value> {
  const windows =
    shape.kind === 'count'
      ? keyed.window(countWindows(shape))
      : keyed.window(timeWindows(shape), time === 'event' ? { allowedLatenessMs } : { time: 'processing-time' });
  const result = (value: unknown, { key, startMs, endMs }: WindowContext<string>): Result => ({ key, startMs, endMs, value });
  const numbers = { accumulator: json<number[]>(), initial: [], add: (all: number[], { v }: Value) => [...all, v], result };
  const merge = (one: number[], other: number[]) => [...one, ...other];
  const emitAll = (values: readonly Value[], context: WindowContext<string>, out: Output<Result>) =>
    out.emit(
      result(
        values.map(({ v }) => v),
        context,
      ),
    );
  switch (make) {
    case 'process':
      return windows.process('op', emitAll, json());
    case 'aggregate':
      return windows.aggregate('op', { ...numbers, merge });
    case 'aggregate without merge':
      return windows.aggregate('op', numbers);
    case 'reduce':
      return windows.reduce('op', (one, other) => ({ k: one.k, t: Math.max(one.t, other.t), v: one.v + other.v }), json());
  }
}

function timersOf({ onRecord, onTimer, inTimeOrder }: TimersCase, keyed: Keyed): Made {
  const operator: KeyedOperator<string, Value, { readonly seen: ValueStateSpec<number, number> }, Result> = {
    state: { seen: valueState(int64, 0) },
    onRecord({ t, v }, { seen }, out: Output<Result>, { key, watermarkMs, timers }) {
      const before = seen.get();
      seen.set(before + 1);
      out.emit({ key, value: { domain: 'row', timeMs: t, seen: before, ...(watermarkMs > Number.NEGATIVE_INFINITY && { watermarkMs }) } });
      for (const action of onRecord[v] ?? []) act(action, t, timers);
    },
    onTimer({ domain, timeMs }, { seen }, out: Output<Result>, { key, watermarkMs, processingTimeMs, timers }) {
      const before = seen.get();
      seen.set(before + 1);
      const times = {
        ...(watermarkMs > Number.NEGATIVE_INFINITY && { watermarkMs }),
        ...(domain === 'processing' && { processingMs: processingTimeMs }),
      };
      out.emit({ key, value: { domain, timeMs, seen: before, ...times } });
      for (const rule of onTimer) {
        const rest = ((timeMs % rule.modulo) + rule.modulo) % rule.modulo;
        if (rule.domain === domain && rule.rest === rest && before <= rule.upTo)
          for (const action of rule.actions) act(action, timeMs, timers);
      }
    },
  };
  if (!inTimeOrder) return { results: keyed.process('op', operator) };
  const results = keyed.process('op', { ...operator, inTimeOrder });
  return { results, late: results.late };
}

function act({ do: what, domain, afterMs }: TimerAction, baseMs: number, timers: Timers): void {
  const timeMs = baseMs + afterMs;
  if (domain === 'event') {
    if (what === 'set') timers.setEventTime(timeMs);
    else timers.deleteEventTime(timeMs);
  } else if (what === 'set') timers.setProcessingTime(timeMs);
  else timers.deleteProcessingTime(timeMs);
}
