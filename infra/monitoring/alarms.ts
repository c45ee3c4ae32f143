import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { functionMetric, jobMetric, tableMetric, type Watched } from './job-metrics.ts';

/** A condition that a person should know of. In alarm while the metric is at `threshold` or above in `of` of `among` periods. */
export interface AlarmKind {
  /** Names the alarm, and the heading of docs/runbook.md that says what to do. */
  readonly heading: string;
  readonly because: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly of: number;
  readonly among: number;
  /** `fine`: no value is no trouble. @default 'fine' */
  readonly silence?: 'fine' | 'trouble';
}

const MINUTE_MS = 60_000;
/** A job that takes its epochs at this many intervals' distance from its input is behind, however long the interval is. */
const INTERVALS_BEHIND = 10;

/**
 * Every alarm of a job. Most of the metrics have values only while something is wrong, so that silence is fine: a job that is
 * idle, stopped or between two coordinators alarms nobody.
 */
export function alarmsOf(watched: Watched): AlarmKind[] {
  const { coordinator } = watched.functions;
  const lateMs = Math.max(MINUTE_MS, INTERVALS_BEHIND * watched.checkpointIntervalMs);
  return [
    {
      heading: 'Stalled epochs',
      because: 'nothing was decided or committed for minutes, though there is something to do',
      // Said each minute while it is so; a hand-over may leave out one.
      metric: jobMetric(watched, 'NoProgress'),
      threshold: 1,
      of: 3,
      among: 5,
    },
    {
      heading: 'Growing lag',
      because: `for 15 minutes all output was older than ${lateMs / 1000} s and the backlog grew`,
      // Only both together: a job that reads old records in has old output, and one with uneven input a backlog that grows at times.
      metric: new MathExpression({
        expression: `(age >= ${lateMs}) AND (growth > 0)`,
        usingMetrics: {
          age: jobMetric(watched, 'EndToEndLag', { minutes: 5, statistic: 'Minimum' }),
          growth: jobMetric(watched, 'LagGrowth', { minutes: 5 }),
        },
        period: Duration.minutes(5),
        label: 'old output and a growing backlog',
      }),
      threshold: 1,
      of: 3,
      among: 3,
    },
    {
      heading: 'Failed job',
      because: 'the job cannot go on without a person',
      metric: jobMetric(watched, 'JobFailed', { minutes: 5 }),
      threshold: 1,
      of: 1,
      among: 1,
    },
    {
      heading: 'Republished transactions',
      because: 'the broker had aborted transactions that were decided; nothing is lost, their output was published again',
      metric: jobMetric(watched, 'RepublishedTransactions', { minutes: 5 }),
      threshold: 1,
      of: 1,
      among: 1,
    },
    {
      heading: 'Dead letters',
      because: 'records were left out, and are in the dead-letter topic',
      metric: jobMetric(watched, 'DeadLetters', { minutes: 5 }),
      threshold: 1,
      of: 1,
      among: 1,
    },
    {
      heading: 'Throttled table',
      because: 'DynamoDB refuses requests to the table of epochs',
      metric: sumOf('throttled requests to the table', [
        tableMetric(watched, 'ReadThrottleEvents'),
        tableMetric(watched, 'WriteThrottleEvents'),
      ]),
      threshold: 1,
      of: 3,
      among: 5,
    },
    {
      heading: 'Throttled functions',
      because: 'Lambda refuses to run functions: too many are running',
      // The coordinator alone calls the others, and counts what is refused; who calls the coordinator itself does not.
      metric: sumOf('throttled invocations', [jobMetric(watched, 'ThrottledCalls'), functionMetric(coordinator, 'Throttles')]),
      threshold: 1,
      of: 3,
      among: 5,
    },
    {
      heading: 'Crashing coordinator',
      because: 'its function ended with errors at least three times in 15 minutes',
      metric: functionMetric(coordinator, 'Errors', 15),
      threshold: 3,
      of: 1,
      among: 1,
    },
    {
      heading: 'Missing ticks',
      because: 'nothing has invoked the coordinator for 15 minutes: after a crash nobody would start the job again',
      metric: new MathExpression({
        expression: 'IF(FILL(ticks, 0) < 1, 1, 0)',
        usingMetrics: { ticks: functionMetric(coordinator, 'Invocations', 15) },
        period: Duration.minutes(15),
        label: '15 minutes without a tick',
      }),
      threshold: 1,
      of: 1,
      among: 1,
      silence: 'trouble',
    },
  ];
}

/** What CloudWatch does with periods without values. */
export function missingDataOf({ silence = 'fine' }: AlarmKind): TreatMissingData {
  return silence === 'fine' ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING;
}

/** In a sum a metric without values would leave the others out. */
function sumOf(label: string, [first, second]: readonly [IMetric, IMetric]): MathExpression {
  return new MathExpression({
    expression: 'FILL(first, 0) + FILL(second, 0)',
    usingMetrics: { first, second },
    period: Duration.minutes(1),
    label,
  });
}
