import { Duration } from 'aws-cdk-lib';
import { type Alarm, AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { MetricName } from '../../lib/config/metrics.ts';
import { functionMetric, jobMetric, tableMetric, type Watched } from './job-metrics.ts';

const HALF = 12;
const WHOLE = 24;

/** What one looks at first, from top to bottom: alarms, lag, throughput, where the time goes, what is repeated, the platform. */
export function addDashboard(scope: Construct, watched: Watched, alarms: readonly Alarm[]): Dashboard {
  const { coordinator, source, sink, operators } = watched.functions;
  const functions = [coordinator, source, sink, ...operators];
  const of = (...names: MetricName[]) => names.map((name) => jobMetric(watched, name));
  const dashboard = new Dashboard(scope, 'Dashboard', {
    dashboardName: `onceflow-${watched.prefix}`,
    defaultInterval: Duration.hours(3),
  });
  dashboard.addWidgets(new AlarmStatusWidget({ title: `Job ${watched.job}`, alarms: [...alarms], width: WHOLE, height: 3 }));
  dashboard.addWidgets(
    graph('Age of output when it is committed', [
      jobMetric(watched, 'EndToEndLag', { label: 'oldest' }),
      jobMetric(watched, 'EndToEndLag', { statistic: 'p50', label: 'median of epochs' }),
    ]),
    graph('Records behind', [
      jobMetric(watched, 'RecordsBehind', { label: 'least' }),
      jobMetric(watched, 'RecordsBehind', { statistic: 'Maximum', label: 'most' }),
      jobMetric(watched, 'RecordsHeldUp', { label: 'held up by open transactions upstream' }),
    ]),
  );
  dashboard.addWidgets(graph('Records a minute', of('RecordsIn', 'RecordsOut')), graph('Bytes read a minute', of('BytesIn')));
  dashboard.addWidgets(
    new GraphWidget({
      title: 'Time of an epoch by phase',
      left: of('SourceTime', 'OperatorTime', 'SinkTime', 'DecisionTime', 'CommitTime'),
      right: of('EpochTime'),
      stacked: true,
      width: HALF,
    }),
    graph('Epochs a minute', of('EpochsCommitted')),
  );
  dashboard.addWidgets(
    graph(
      'What is repeated, left out or late',
      of('FailedAttempts', 'DoubtfulCommits', 'RepublishedTransactions', 'DeadLetters', 'LateDropped', 'LatePassedOn'),
    ),
    graph('Without progress', of('NoProgress', 'JobFailed')),
  );
  dashboard.addWidgets(
    graph('State, stored', of('StateBytes')),
    graph('Throttled', [
      ...of('ThrottledCalls'),
      functionMetric(coordinator, 'Throttles'),
      tableMetric(watched, 'ReadThrottleEvents'),
      tableMetric(watched, 'WriteThrottleEvents'),
    ]),
  );
  dashboard.addWidgets(
    graph(
      'Errors of functions',
      functions.map((each) => functionMetric(each, 'Errors')),
    ),
    graph('Invocations of the coordinator: one a minute', [functionMetric(coordinator, 'Invocations')]),
  );
  return dashboard;
}

function graph(title: string, left: IMetric[]): IWidget {
  return new GraphWidget({ title, left, width: HALF });
}
