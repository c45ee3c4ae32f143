import type { Attributes, Meter } from '@opentelemetry/api';
import { type SeriesKind, type SeriesName, series } from '../../lib/config/series.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { type Instruments, type Labels, measureJob } from './measure.ts';
import { traceEpochs } from './trace-epochs.ts';

/** Where the API keeps what somebody has registered: without it there is nobody who listens. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/**
 * Traces epochs and measures the job through the global providers of OpenTelemetry, if a program has registered any by now. Else nothing
 * is loaded, and the answer is undefined.
 */
export async function openTelemetry(
  job: string,
  of: readonly SeriesName[],
  clock: Clock,
): Promise<((event: CoordinatorEvent) => void) | undefined> {
  if ((globalThis as Readonly<Record<symbol, unknown>>)[REGISTERED] === undefined) return undefined;
  const { trace, metrics, context, SpanStatusCode } = await import('@opentelemetry/api');
  const attributes = { 'onceflow.job': job };
  const measure = measureJob(createInstruments(metrics.getMeter('onceflow'), of, attributes), clock);
  const tracing = {
    tracer: trace.getTracer('onceflow'),
    within: (span: Parameters<typeof trace.setSpan>[1]) => trace.setSpan(context.active(), span),
  };
  const traceEvent = traceEpochs({ ...tracing, attributes, errorCode: SpanStatusCode.ERROR, clock });
  return (event) => {
    measure(event);
    traceEvent(event);
  };
}

function createInstruments(meter: Meter, of: readonly SeriesName[], common: Attributes): Instruments {
  /** By series, the last value of each set of labels: gauges are asked. */
  const gauges = new Map<SeriesName, Map<string, readonly [number, Attributes]>>();
  const adding = new Map<SeriesName, (value: number, attributes: Attributes) => void>();
  for (const name of of) {
    const { is, unit, doc: description }: SeriesKind = series[name];
    const options = { unit, description };
    if (is === 'gauge') {
      const values = new Map<string, readonly [number, Attributes]>();
      gauges.set(name, values);
      meter.createObservableGauge(name, options).addCallback((result) => {
        for (const [value, attributes] of values.values()) result.observe(value, attributes);
      });
    } else if (is === 'counter') {
      const counter = meter.createCounter(name, options);
      adding.set(name, (value, attributes) => counter.add(value, attributes));
    } else {
      const histogram = meter.createHistogram(name, options);
      adding.set(name, (value, attributes) => histogram.record(value, attributes));
    }
  }
  const put = (name: SeriesName, value: number, labels: Labels = {}) => adding.get(name)?.(value, { ...common, ...labels });
  return {
    add: put,
    record: put,
    set: (name, to, labels = {}) => void gauges.get(name)?.set(JSON.stringify(labels), [to, { ...common, ...labels }]),
    forget(names) {
      for (const name of names) gauges.get(name)?.clear();
    },
  };
}
