import { Alarm, ComparisonOperator, type Dashboard, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { alarmsOf, missingDataOf } from './alarms.ts';
import { addDashboard } from './dashboard.ts';
import type { Watched } from './job-metrics.ts';

export interface MonitoringProps extends Watched {
  /** Told when an alarm begins, and when it ends. */
  readonly actions: readonly IAlarmAction[];
}

/** A job's alarms and its dashboard. Each alarm has the name of the heading of docs/runbook.md that says what to do. */
export class Monitoring extends Construct {
  /** One for each kind of trouble. */
  readonly alarms: readonly Alarm[];
  /** With what the alarms watch. */
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, { actions, ...watched }: MonitoringProps) {
    super(scope, id);
    this.alarms = alarmsOf(watched).map((kind) => {
      const { heading, because, metric, threshold, of, among } = kind;
      const alarm = new Alarm(this, heading.replaceAll(' ', ''), {
        alarmName: `${watched.prefix}: ${heading}`,
        alarmDescription: `Job ${watched.job}: ${because}. What to do: docs/runbook.md#${anchorOf(heading)}, of the package onceflow`,
        metric,
        threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        datapointsToAlarm: of,
        evaluationPeriods: among,
        treatMissingData: missingDataOf(kind),
      });
      alarm.addAlarmAction(...actions);
      alarm.addOkAction(...actions);
      return alarm;
    });
    this.dashboard = addDashboard(this, watched, this.alarms);
  }
}

/** The link to a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}
