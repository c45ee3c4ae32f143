/** A measurement of a job that runs as processes. */
export interface SeriesKind {
  /** `counter`: only rises. `gauge`: what is now. `histogram`: how long something takes, in seconds. */
  readonly is: 'counter' | 'gauge' | 'histogram';
  /** In OpenTelemetry's notation: seconds, bytes, or what is counted. */
  readonly unit: 's' | 'By' | `{${string}}`;
  readonly labels: readonly string[];
  readonly doc: string;
}

/**
 * The one table of what `onceflow run` and `onceflow worker` measure, by its name in OpenTelemetry; `prometheusName` is that in Prometheus. What
 * CloudWatch gets of a deployment is in metrics.ts.
 */
export const series = {
  'onceflow.epochs.committed': { is: 'counter', unit: '{epoch}', labels: [], doc: 'Epochs whose output was committed.' },
  'onceflow.epoch.duration': { is: 'histogram', unit: 's', labels: [], doc: 'From the plan of an epoch to its commit.' },
  'onceflow.epoch.phase.duration': {
    is: 'histogram',
    unit: 's',
    labels: ['phase'],
    doc: 'Of it, the slowest `source`, `operator` and `sink` stage, the decision (`decide`) and the commit (`commit`); before it `plan`.',
  },
  'onceflow.end_to_end.lag': {
    is: 'histogram',
    unit: 's',
    labels: [],
    doc: "Age of an epoch's oldest record when it was committed, by the record's timestamp.",
  },
  'onceflow.records.read': { is: 'counter', unit: '{record}', labels: [], doc: 'Records read from the sources, in committed epochs.' },
  'onceflow.records.written': { is: 'counter', unit: '{record}', labels: [], doc: 'Records written to the sinks, in committed epochs.' },
  'onceflow.input': { is: 'counter', unit: 'By', labels: [], doc: 'Bytes fetched from the source topics, as they are compressed there.' },
  'onceflow.records.behind': {
    is: 'gauge',
    unit: '{record}',
    labels: ['source', 'topic', 'partition'],
    doc: 'Offsets between where the last committed epoch ended and the newest end that the coordinator saw (Flink: `pendingRecords`).',
  },
  'onceflow.records.held_up': {
    is: 'gauge',
    unit: '{record}',
    labels: [],
    doc: 'Offsets of the source topics behind transactions of upstream that are open, when it was last looked.',
  },
  'onceflow.watermark.timestamp': {
    is: 'gauge',
    unit: 's',
    labels: ['stage'],
    doc: 'Watermark of an operator stage, as a Unix time.',
  },
  'onceflow.partition.watermark.timestamp': {
    is: 'gauge',
    unit: 's',
    labels: ['source', 'topic', 'partition'],
    doc: 'Watermark of a partition, as a Unix time.',
  },
  'onceflow.state.size': { is: 'gauge', unit: 'By', labels: [], doc: 'Stored size of the keyed state: bases and deltas.' },
  'onceflow.last_commit.timestamp': { is: 'gauge', unit: 's', labels: [], doc: 'When the last epoch was committed, as a Unix time.' },
  'onceflow.attempts.failed': {
    is: 'counter',
    unit: '{attempt}',
    labels: ['stage', 'kind'],
    doc: 'Attempts at an epoch that failed; each is repeated.',
  },
  'onceflow.commits.doubtful': {
    is: 'counter',
    unit: '{transaction}',
    labels: [],
    doc: 'Transactions whose commit was not answered OK, each time one is resolved.',
  },
  'onceflow.transactions.republished': {
    is: 'counter',
    unit: '{transaction}',
    labels: [],
    doc: 'Decided transactions that the broker had aborted, and whose output was published again.',
  },
  'onceflow.dead_letters': {
    is: 'counter',
    unit: '{record}',
    labels: [],
    doc: 'Records of decided epochs that are in the dead-letter topic.',
  },
  'onceflow.late': {
    is: 'counter',
    unit: '{value}',
    labels: ['fate'],
    doc: 'Values of decided epochs that came too late for an operator: `dropped`, or `passed-on` to what reads its `late`.',
  },
  'onceflow.no_progress': {
    is: 'gauge',
    unit: 's',
    labels: [],
    doc: 'For how long nothing was decided or committed though there is something to do; 0 of a job that moves on.',
  },
  'onceflow.job.failed': { is: 'gauge', unit: '{job}', labels: [], doc: '1: the job failed and waits for a person.' },
  'onceflow.job.held': { is: 'gauge', unit: '{job}', labels: [], doc: '1: this process runs the job. 0: it stands by.' },
  'onceflow.worker.requests': {
    is: 'counter',
    unit: '{request}',
    labels: ['role', 'outcome'],
    doc: 'Requests that a worker has answered, by role of the function: `answered`, `failed` (the function threw), `lost` (its process ended).',
  },
  'onceflow.worker.request.duration': { is: 'histogram', unit: 's', labels: ['role'], doc: 'How long a worker took for a request.' },
  'onceflow.worker.processes.crashed': {
    is: 'counter',
    unit: '{process}',
    labels: [],
    doc: 'Processes of functions that ended without being asked to; each is started again.',
  },
} as const satisfies Readonly<Record<string, SeriesKind>>;

export type SeriesName = keyof typeof series;

/** By Prometheus' conventions: words with _ between, the unit, and `_total` of what only rises. */
export function prometheusName(name: SeriesName): string {
  const { is, unit }: SeriesKind = series[name];
  const units: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };
  return `${name.replaceAll('.', '_')}${units[unit] ?? ''}${is === 'counter' ? '_total' : ''}`;
}
