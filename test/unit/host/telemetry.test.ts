import { metrics, trace } from '@opentelemetry/api';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import parsePrometheus from 'parse-prometheus-text-format';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../host/system.ts';
import { measureJob } from '../../../host/telemetry/measure.ts';
import { openTelemetry } from '../../../host/telemetry/open-telemetry.ts';
import { openPrometheus } from '../../../host/telemetry/prometheus.ts';
import { OF_A_JOB, OF_A_WORKER } from '../../../host/telemetry/which.ts';
import { prometheusName, type SeriesName, series } from '../../../lib/config/series.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { figures } from '../epoch/figures.ts';

const time = {
  processingMs: 5_000,
  sources: { read: { watermarkMs: 3_000, partitions: { lines: [{ watermarkMs: 4_000, activeMs: 1 }, { activeMs: 1 }] } } },
  stages: { count: 2_500 },
};

/** What a coordinator tells of two epochs, the second of which fails once. */
const told: readonly CoordinatorEvent[] = [
  { event: 'lease-taken', generation: 1, incarnation: 'i', lastCompleted: undefined, lastCommitted: 0, stops: 0 },
  ...epoch(1),
  { event: 'planned', epoch: 2, decisionId: 'd2', inFlight: 1, backlogRecords: 4, ms: 3 },
  { event: 'stage-started', epoch: 2, stage: 'read' },
  { event: 'attempt-failed', epoch: 2, stage: 'read', kind: 'transient', message: 'the broker is away', failuresInARow: 1, retryInMs: 1 },
  ...epoch(2),
  { event: 'late', epoch: 2, operators: {}, dropped: 2, passedOn: 3 },
];

function epoch(number: number): CoordinatorEvent[] {
  return [
    { event: 'planned', epoch: number, decisionId: `d${number}`, inFlight: 1, backlogRecords: 4, ms: 3 },
    { event: 'stage-started', epoch: number, stage: 'read' },
    { event: 'stage-done', epoch: number, stage: 'read', ms: 20 },
    { event: 'decided', epoch: number, recordsIn: 3, recordsOut: 5, ms: 10 },
    {
      event: 'committed',
      epoch: number,
      republished: 0,
      ms: 25,
      figures: figures({ behind: { read: { lines: [7, 0] } }, recordsBehind: 7, time }),
    },
  ];
}

interface Sample {
  readonly value?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly buckets?: Readonly<Record<string, string>>;
}

interface Family {
  readonly type: string;
  readonly help: string;
  readonly metrics: readonly Sample[];
}

describe('what Prometheus reads', () => {
  async function scraped(...events: readonly CoordinatorEvent[]) {
    const prometheus = await openPrometheus('word-count', OF_A_JOB);
    if (prometheus === undefined) throw new Error('prom-client is not there');
    const measure = measureJob(prometheus, systemClock);
    events.forEach(measure);
    const { contentType, text } = await prometheus.read();
    const families = new Map(parsePrometheus(text).map((family) => [family.name, family as Family] as const));
    return { contentType, text, families, samples: (name: SeriesName) => families.get(prometheusName(name))?.metrics ?? [] };
  }

  it('is text that another parser reads: each family with its type, its help, and the job as a label that is not that of the scrape', async () => {
    const { contentType, families, text } = await scraped(...told);
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const types = { counter: 'COUNTER', gauge: 'GAUGE', histogram: 'HISTOGRAM' };
    for (const name of OF_A_JOB)
      expect(families.get(prometheusName(name)), name).toMatchObject({ type: types[series[name].is], help: series[name].doc });
    expect(families.has('process_cpu_seconds_total')).toBe(true);
    expect(text).toContain('onceflow_epochs_committed_total{job_name="word-count"} 2');
    expect(text).not.toMatch(/[{,]job="/);
  });

  it('has epochs, records, phases, lag and watermarks by partition, and failures', async () => {
    const { samples, text } = await scraped(...told);
    const value = (name: SeriesName, labels: Readonly<Record<string, string>> = {}) =>
      samples(name).find((sample) => Object.entries(labels).every(([label, is]) => sample.labels?.[label] === is))?.value;
    const partition = (number: string) => ({ source: 'read', topic: 'lines', partition: number });
    expect([value('onceflow.records.read'), value('onceflow.records.written'), value('onceflow.input')]).toEqual(['6', '10', '240']);
    expect([value('onceflow.records.behind', partition('0')), value('onceflow.records.behind', partition('1'))]).toEqual(['7', '0']);
    expect(value('onceflow.partition.watermark.timestamp', partition('0'))).toBe('4');
    expect(value('onceflow.partition.watermark.timestamp', partition('1'))).toBeUndefined();
    expect(value('onceflow.watermark.timestamp', { stage: 'count' })).toBe('2.5');
    expect(value('onceflow.attempts.failed', { stage: 'read', kind: 'transient' })).toBe('1');
    expect([value('onceflow.late', { fate: 'dropped' }), value('onceflow.late', { fate: 'passed-on' })]).toEqual(['2', '3']);
    expect(samples('onceflow.epoch.duration')[0]?.buckets).toMatchObject({ '0.25': '0', '0.5': '2', '+Inf': '2' });
    const ofPhases = [...text.matchAll(/^onceflow_epoch_phase_duration_seconds_count\{.*phase="(\w+)".*\} (\d+)$/gm)];
    expect(Object.fromEntries(ofPhases.map(([, phase, count]) => [phase, count]))).toEqual({
      plan: '3',
      source: '2',
      operator: '2',
      sink: '2',
      decide: '2',
      commit: '2',
    });
  });

  it('says who runs the job, and forgets of one that ended what only the next one knows', async () => {
    const state = async (...events: readonly CoordinatorEvent[]) => {
      const { samples } = await scraped(...events);
      return ['onceflow.job.held', 'onceflow.job.failed'].map((name) => samples(name as SeriesName)[0]?.value);
    };
    expect(await state()).toEqual(['0', '0']);
    expect(await state(...told)).toEqual(['1', '0']);
    expect(await state(...told, { event: 'ended', end: 'failed', message: 'no' })).toEqual(['0', '1']);
    const { samples } = await scraped(...told, { event: 'ended', end: 'handed-over', message: '' });
    expect(samples('onceflow.records.behind')).toEqual([]);
  });
});

it('names in Prometheus are words with the unit, and _total of what only rises', () => {
  const names = [...OF_A_JOB, ...OF_A_WORKER].map(prometheusName);
  expect(new Set(names).size).toBe(Object.keys(series).length);
  for (const name of names) expect(name).toMatch(/^onceflow_[a-z_]+$/);
  expect(prometheusName('onceflow.input')).toBe('onceflow_input_bytes_total');
  expect(prometheusName('onceflow.epoch.duration')).toBe('onceflow_epoch_duration_seconds');
});

describe('OpenTelemetry', () => {
  afterEach(() => {
    trace.disable();
    metrics.disable();
    Reflect.deleteProperty(globalThis, Symbol.for('opentelemetry.js.api.1'));
  });

  it('is not loaded while nobody has registered a provider', async () => {
    expect(await openTelemetry('word-count', OF_A_JOB, systemClock)).toBeUndefined();
  });

  it('has a span for each attempt at an epoch, with a child for plan, stages, decision and commit', async () => {
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    const observe = await openTelemetry('word-count', OF_A_JOB, systemClock);
    for (const event of told) observe?.(event);
    const spans = exporter.getFinishedSpans();
    const epochs = spans.filter(({ name }) => name === 'epoch');
    expect(epochs.map(({ attributes, status }) => [attributes['onceflow.epoch'], attributes['onceflow.job'], status.code])).toEqual([
      [1, 'word-count', 0],
      [2, 'word-count', 2],
      [2, 'word-count', 0],
    ]);
    const childrenOf = (parent: ReadableSpan | undefined) =>
      spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent?.spanContext().spanId);
    expect(childrenOf(epochs[0]).map(({ name }) => name)).toEqual(['plan', 'stage read', 'decide', 'commit']);
    expect(childrenOf(epochs[1]).map(({ name, status }) => [name, status.message])).toEqual([
      ['plan', undefined],
      ['stage read', 'the broker is away'],
    ]);
    expect(epochs[0]?.attributes).toMatchObject({ 'onceflow.attempt': 'd1', 'onceflow.records.read': 3, 'onceflow.records.written': 5 });
    const [, , decide, commit] = childrenOf(epochs[0]);
    expect(toMs(decide?.endTime)).toBe(toMs(commit?.startTime));
    expect(toMs(commit?.duration)).toBe(25);
  });

  it('has the same measurements as Prometheus, in its own names and units', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    const observe = await openTelemetry('word-count', OF_A_JOB, systemClock);
    for (const event of told) observe?.(event);
    await provider.forceFlush();
    const found = new Map(
      exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: each }) => each.map((one) => [one.descriptor.name, one] as const))),
    );
    await provider.shutdown();
    expect(found.get('onceflow.epochs.committed')).toMatchObject({
      descriptor: { unit: '{epoch}' },
      dataPoints: [{ value: 2, attributes: { 'onceflow.job': 'word-count' } }],
    });
    expect(found.get('onceflow.records.behind')?.dataPoints.map(({ value, attributes }) => [value, attributes['partition']])).toEqual([
      [7, '0'],
      [0, '1'],
    ]);
    expect(found.get('onceflow.epoch.duration')).toMatchObject({ descriptor: { unit: 's' }, dataPoints: [{ value: { count: 2 } }] });
  });
});

function toMs(time: readonly [number, number] | undefined): number {
  const [seconds, nanos] = time ?? [0, 0];
  return Math.round(seconds * 1_000 + nanos / 1e6);
}
