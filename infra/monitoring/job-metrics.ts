import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type METRIC_DIMENSIONS, METRICS_NAMESPACE, type MetricName, metrics } from '../../lib/config/metrics.ts';
import type { JobFunctions } from '../functions/job-functions.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

/** What is watched. */
export interface Watched {
  readonly job: string;
  readonly prefix: string;
  readonly checkpointIntervalMs: number;
  readonly functions: JobFunctions;
  readonly storage: CheckpointStorage;
}

interface Reading {
  readonly minutes?: number;
  /** @default the metric's own, from the table */
  readonly statistic?: string;
  readonly label?: string;
}

/** One of the metrics that the coordinator emits. */
export function jobMetric({ job, functions }: Watched, name: MetricName, { minutes = 1, statistic, label }: Reading = {}): Metric {
  const dimensionsMap: Record<(typeof METRIC_DIMENSIONS)[number], string> = {
    Job: job,
    FunctionName: functions.coordinator.functionName,
  };
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName: name,
    dimensionsMap,
    statistic: statistic ?? metrics[name].statistic,
    period: Duration.minutes(minutes),
    ...(label === undefined ? {} : { label }),
  });
}

/** One of Lambda's own metrics of a function. */
export function functionMetric(of: IFunction, metricName: 'Errors' | 'Invocations' | 'Throttles', minutes = 1): Metric {
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName,
    dimensionsMap: { FunctionName: of.functionName },
    statistic: 'Sum',
    period: Duration.minutes(minutes),
  });
}

/** One of DynamoDB's own metrics of the job's table. */
export function tableMetric({ storage }: Watched, metricName: 'ReadThrottleEvents' | 'WriteThrottleEvents'): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName,
    dimensionsMap: { TableName: storage.table.tableName },
    statistic: 'Sum',
    period: Duration.minutes(1),
  });
}
