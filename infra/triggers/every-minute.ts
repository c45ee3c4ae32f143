import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as Target } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { TICK_MS } from '../../lib/config/ticks.ts';

const PAYLOAD = { ask: 'tick' };

/** The only trigger of a job: every minute the coordinator's function looks whether the job needs a coordinator. */
export class EveryMinute extends Construct {
  constructor(scope: Construct, id: string, coordinator: IFunction) {
    super(scope, id);
    new Rule(this, 'Rule', {
      description: 'Starts the job again when nobody runs it',
      schedule: Schedule.rate(Duration.millis(TICK_MS)),
      // A tick that is late is worth nothing: the next one comes.
      targets: [
        new Target(coordinator, { event: RuleTargetInput.fromObject(PAYLOAD), retryAttempts: 0, maxEventAge: Duration.millis(TICK_MS) }),
      ],
    });
  }
}
