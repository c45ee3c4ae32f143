import type { Level } from '../lib/epoch/events.ts';
import type { Wiring } from './wiring.ts';

export type Log = (level: Level, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Of a process of this machine: one JSON object a line. */
export const logLine: Log = (level, message, fields) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
};

/** Where this function logs: on Lambda as Powertools does, which is loaded only when there is something to say. */
export async function openLog({ config, job }: Pick<Wiring, 'config' | 'job'>, env: NodeJS.ProcessEnv): Promise<Log> {
  if (env['AWS_LAMBDA_FUNCTION_NAME'] === undefined) return logLine;
  const { lambdaLog } = await import('./lambda-log.ts');
  return lambdaLog(config.logLevel, { job: job.name });
}
