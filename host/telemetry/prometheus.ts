import type { Counter, Gauge, Histogram } from 'prom-client';
import { prometheusName, type SeriesKind, type SeriesName, series } from '../../lib/config/series.ts';
import type { Instruments, Labels } from './measure.ts';

/** Of epochs and their phases; and of lags, which may be hours. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

/** What a Prometheus server reads. */
export interface Exposition extends Instruments {
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Loads prom-client, and with it what it says of the process itself. Undefined: it is not installed. */
export async function openPrometheus(job: string, of: readonly SeriesName[]): Promise<Exposition | undefined> {
  const client = await import('prom-client').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  });
  if (client === undefined) return undefined;
  const registry = new client.Registry();
  // Not `job`: that is what Prometheus calls what it scrapes.
  registry.setDefaultLabels({ job_name: job });
  client.collectDefaultMetrics({ register: registry });
  const counters = new Map<SeriesName, Counter>();
  const gauges = new Map<SeriesName, Gauge>();
  const histograms = new Map<SeriesName, Histogram>();
  for (const name of of) {
    const { is, labels, doc }: SeriesKind = series[name];
    const options = { name: prometheusName(name), help: doc, labelNames: [...labels], registers: [registry] };
    if (is === 'counter') counters.set(name, new client.Counter(options));
    if (is === 'gauge') gauges.set(name, new client.Gauge(options));
    if (is === 'histogram') histograms.set(name, new client.Histogram({ ...options, buckets: SECONDS }));
  }
  return {
    add: (name, by, labels: Labels = {}) => counters.get(name)?.inc(labels, by),
    set: (name, to, labels: Labels = {}) => gauges.get(name)?.set(labels, to),
    record: (name, seconds, labels: Labels = {}) => histograms.get(name)?.observe(labels, seconds),
    forget(names) {
      for (const name of names) gauges.get(name)?.reset();
    },
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
