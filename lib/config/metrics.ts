/** Of all metrics of jobs in CloudWatch. */
export const METRICS_NAMESPACE = 'Onceflow';
/** What each of them is kept by: the job, and the coordinator's function, because a job may be deployed twice. */
export const METRIC_DIMENSIONS = ['Job', 'FunctionName'] as const;

export interface MetricKind {
  readonly unit: 'Count' | 'Milliseconds' | 'Bytes';
  /** How it is read: the sum of a period, or the highest or lowest of its values. */
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum' | 'Average';
  readonly doc: string;
}

/**
 * The one table of metrics: what host/metrics.ts emits, what dashboard and alarms (infra/monitoring) show, and what
 * docs/operations.md lists. Counts of what is not well (from `RecordsHeldUp` on) are left out while they are zero: CloudWatch
 * bills a metric by the hours in which it has values.
 */
export const metrics = {
  EpochsCommitted: { unit: 'Count', statistic: 'Sum', doc: 'Epochs whose output was committed.' },
  EpochTime: { unit: 'Milliseconds', statistic: 'Average', doc: 'From the plan of an epoch to its commit.' },
  SourceTime: { unit: 'Milliseconds', statistic: 'Average', doc: 'Of it, the slowest source stage.' },
  OperatorTime: { unit: 'Milliseconds', statistic: 'Average', doc: 'Of it, the slowest operator stage.' },
  SinkTime: { unit: 'Milliseconds', statistic: 'Average', doc: 'Of it, the slowest sink stage: output sent, not yet committed.' },
  DecisionTime: { unit: 'Milliseconds', statistic: 'Average', doc: 'Of it, the decision: manifest and job row in DynamoDB.' },
  CommitTime: { unit: 'Milliseconds', statistic: 'Average', doc: 'Of it, the commit of the transactions.' },
  EndToEndLag: {
    unit: 'Milliseconds',
    statistic: 'Maximum',
    doc: "Age of an epoch's oldest record when it was committed, by the record's timestamp (Kafka Streams: `record-e2e-latency-max`).",
  },
  RecordsBehind: {
    unit: 'Count',
    statistic: 'Minimum',
    doc: 'Offsets between where a committed epoch ended and the newest ends that the coordinator saw (Flink: `pendingRecords`): the last stable offsets, up to which one can read.',
  },
  LagGrowth: { unit: 'Count', statistic: 'Sum', doc: 'Change of `RecordsBehind`: above zero, the job falls behind.' },
  RecordsIn: { unit: 'Count', statistic: 'Sum', doc: 'Records read from the sources, in committed epochs.' },
  RecordsOut: { unit: 'Count', statistic: 'Sum', doc: 'Records written to the sinks, in committed epochs.' },
  BytesIn: { unit: 'Bytes', statistic: 'Sum', doc: 'Bytes fetched from the source topics, as they are compressed there.' },
  StateBytes: { unit: 'Bytes', statistic: 'Maximum', doc: 'Stored size of the keyed state: bases and deltas.' },
  RecordsHeldUp: {
    unit: 'Count',
    statistic: 'Maximum',
    doc: 'Offsets of the source topics between last stable offset and high watermark: behind transactions of upstream that are open. Each half minute while there are any.',
  },
  FailedAttempts: { unit: 'Count', statistic: 'Sum', doc: 'Attempts at an epoch that failed; each is repeated.' },
  DoubtfulCommits: { unit: 'Count', statistic: 'Sum', doc: 'Transactions whose commit was not answered OK, each time one is resolved.' },
  RepublishedTransactions: {
    unit: 'Count',
    statistic: 'Sum',
    doc: 'Decided transactions that the broker had aborted, and whose output was published again.',
  },
  DeadLetters: { unit: 'Count', statistic: 'Sum', doc: 'Records of decided epochs that are in the dead-letter topic.' },
  LateDropped: {
    unit: 'Count',
    statistic: 'Sum',
    doc: 'Values of decided epochs that came too late for an operator, and that nobody reads: they are in no result.',
  },
  LatePassedOn: {
    unit: 'Count',
    statistic: 'Sum',
    doc: 'Values of decided epochs that came too late for an operator, and went to what reads its `late`.',
  },
  ThrottledCalls: { unit: 'Count', statistic: 'Sum', doc: 'Calls of stage functions that Lambda refused because too many are running.' },
  NoProgress: {
    unit: 'Milliseconds',
    statistic: 'Maximum',
    doc: 'For how long nothing was decided or committed though there is something to do; each minute while that is so.',
  },
  JobFailed: { unit: 'Count', statistic: 'Maximum', doc: 'The job failed and waits for a person; each minute while that is so.' },
} as const satisfies Readonly<Record<string, MetricKind>>;

export type MetricName = keyof typeof metrics;
