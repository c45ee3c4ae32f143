import type { Level } from '../lib/epoch/progress/events.ts';

export type Log = (level: Level, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface LogOptions {
  /** Lines below this level are left out. Of a process of this machine none is. */
  readonly logLevel: Level;
  /** The job's name, which stands in every line. */
  readonly job: string;
}

/** Of a process of this machine: one JSON object a line. */
export const logLine: Log = (level, message, fields) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
};

/** Where this function logs: on Lambda as Powertools does, which is loaded only when there is something to say. */
export async function openLog({ logLevel, job }: LogOptions, env: NodeJS.ProcessEnv): Promise<Log> {
  if (env['AWS_LAMBDA_FUNCTION_NAME'] === undefined) return logLine;
  const { lambdaLog } = await import('./lambda-log.ts');
  return lambdaLog(logLevel, { job });
}
