import { METRIC_DIMENSIONS, METRICS_NAMESPACE, type MetricName, metrics } from '../lib/config/metrics.ts';
import type { EpochFigures } from '../lib/epoch/progress/epoch-figures.ts';
import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';
import type { Clock } from '../lib/ports/clock.ts';

/** At most one line in this time: epochs of a busy job are many a second, and every line is billed. */
const LINE_EVERY_MS = 1_000;
/** What the embedded metric format takes of one metric in one line. */
const MOST_VALUES = 100;
/** A job without progress says so as often: alarms look each minute. */
const REPEAT_MS = 60_000;

export interface MetricsOptions {
  readonly job: string;
  /** Of the coordinator. */
  readonly functionName: string;
  readonly clock: Clock;
  readonly write: (line: Record<string, unknown>) => void;
}

/**
 * The metrics of a coordinator's events, as lines of its log from which CloudWatch makes them. One line for each committed
 * epoch, and at most one a second: what comes sooner waits for its second and travels in one line, counts added up, the
 * other values as a list, so that minimum, maximum and percentiles stay exact. (A list holds 100 values: from the
 * hundredth epoch within a second on there is a line more.) Failures without a commit make a line too. The end of the
 * coordinator leaves nothing waiting.
 */
export function createMetrics({ job, functionName, clock, write }: MetricsOptions): (event: CoordinatorEvent) => void {
  let values = new Map<MetricName, number[]>();
  let epoch: number | undefined;
  /** When the last line was written, by `elapsedMs`. */
  let writtenMs = Number.NEGATIVE_INFINITY;
  let waiting = false;
  let recordsBehind: number | undefined;
  let repeating: AbortController | undefined;

  /** Adds to a count. */
  function count(name: MetricName, by: number): void {
    const [sum = 0] = values.get(name) ?? [];
    values.set(name, [sum + by]);
  }

  function add(name: MetricName, value: number | undefined): void {
    if (value === undefined) return;
    const list = values.get(name) ?? [];
    list.push(value);
    values.set(name, list);
  }

  function flush(): void {
    if (values.size === 0) return;
    writtenMs = clock.elapsedMs();
    write({ ...metricsLine(values, { Job: job, FunctionName: functionName }, clock.now()), epoch });
    values = new Map();
  }

  /** Writes what there is, now or when its second comes. */
  function flushSoon(): void {
    if (waiting) return;
    const waitMs = writtenMs + LINE_EVERY_MS - clock.elapsedMs();
    if (waitMs <= 0) return flush();
    waiting = true;
    void clock.sleep(waitMs).then(() => {
      waiting = false;
      flush();
    });
  }

  function committed(of: EpochFigures, commitMs: number): void {
    count('EpochsCommitted', 1);
    count('RecordsIn', of.recordsIn);
    count('RecordsOut', of.recordsOut);
    count('BytesIn', of.bytesIn);
    // Unknown for the first epoch of a coordinator.
    if (recordsBehind !== undefined) count('LagGrowth', of.recordsBehind - recordsBehind);
    recordsBehind = of.recordsBehind;
    add('RecordsBehind', of.recordsBehind);
    add('EndToEndLag', of.lagMs);
    add('StateBytes', of.stateBytes);
    add('EpochTime', of.epochMs);
    add('SourceTime', of.sourceMs);
    add('OperatorTime', of.operatorMs);
    add('SinkTime', of.sinkMs);
    add('DecisionTime', of.decisionMs);
    add('CommitTime', commitMs);
  }

  function repeatNoProgress(forMs: number): void {
    repeating?.abort();
    const until = new AbortController();
    repeating = until;
    const sinceMs = clock.elapsedMs() - forMs;
    const say = () => {
      if (until.signal.aborted) return;
      add('NoProgress', clock.elapsedMs() - sinceMs);
      flushSoon();
      void clock.sleep(REPEAT_MS, until.signal).then(say);
    };
    say();
  }

  return (event) => {
    switch (event.event) {
      case 'committed':
        repeating?.abort();
        epoch = event.epoch;
        committed(event.figures, event.ms);
        if (event.republished > 0) count('RepublishedTransactions', event.republished);
        if ((values.get('EpochTime')?.length ?? 0) >= MOST_VALUES) return flush();
        return flushSoon();
      case 'recovered':
        if (event.republished > 0) count('RepublishedTransactions', event.republished);
        return;
      case 'attempt-failed':
        count('FailedAttempts', 1);
        return flushSoon();
      case 'doubtful':
        return count('DoubtfulCommits', 1);
      case 'dead-lettered':
        return count('DeadLetters', event.records);
      case 'late':
        if (event.dropped > 0) count('LateDropped', event.dropped);
        if (event.passedOn > 0) count('LatePassedOn', event.passedOn);
        return;
      case 'held-up':
        add('RecordsHeldUp', event.records);
        return flushSoon();
      case 'throttled':
        return count('ThrottledCalls', 1);
      case 'no-progress':
        return repeatNoProgress(event.forMs);
      case 'progress-again':
        return repeating?.abort();
      case 'still-failed':
        count('JobFailed', 1);
        return flush();
      case 'ended':
        repeating?.abort();
        if (event.end === 'failed') count('JobFailed', 1);
        return flush();
      // Nothing is measured of them.
      case 'takes-over':
      case 'stands-by':
      case 'lease-taken':
      case 'started-from':
      case 'graph-changed':
      case 'start-passed-over':
      case 'starting-offsets':
      case 'planned':
      case 'rescaled':
      case 'data-loss':
      case 'stage-started':
      case 'stage-done':
      case 'leaves-out':
      case 'decided':
      case 'leftovers-ended':
      case 'left-alone':
      case 'waiting':
      case 'collected':
      case 'warning':
      case 'hanging-transaction':
        return;
      default:
        event satisfies never;
    }
  };
}

/** A line in CloudWatch's embedded metric format: these values, in the units of the table, kept by these dimensions. */
export function metricsLine(
  values: ReadonlyMap<MetricName, readonly number[]>,
  dimensions: Readonly<Record<(typeof METRIC_DIMENSIONS)[number], string>>,
  timestampMs: number,
): Record<string, unknown> {
  const entries = [...values].map(([name, list]) => [name, list.length === 1 ? list[0] : list] as const);
  return {
    _aws: {
      Timestamp: timestampMs,
      CloudWatchMetrics: [
        {
          Namespace: METRICS_NAMESPACE,
          Dimensions: [METRIC_DIMENSIONS],
          Metrics: entries.map(([Name]) => ({ Name, Unit: metrics[Name].unit })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(entries),
  };
}
