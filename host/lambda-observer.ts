import type { ConfigOf } from '../lib/config/parameters.ts';
import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';
import { createEventLines } from './event-lines.ts';
import { type LambdaContext, lambdaLog } from './lambda-log.ts';
import { createMetrics } from './metrics.ts';
import type { Host } from './process.ts';

/** Logs what the coordinator does, and makes metrics of it. */
export function observeOnLambda({ config, job, clock }: Host, context: LambdaContext): (event: CoordinatorEvent) => void {
  const { logLevel, monitoring }: ConfigOf<'host'> = config;
  const log = lambdaLog(logLevel, { job: job.name }, context);
  const lineOf = createEventLines();
  const write = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const measure = monitoring === 'on' ? createMetrics({ job: job.name, functionName: context.functionName, clock, write }) : () => {};
  return (event) => {
    const { level, message, fields } = lineOf(event);
    log(level, message, fields);
    measure(event);
  };
}
