import { Logger } from '@aws-lambda-powertools/logger';
import type { Level } from '../lib/epoch/progress/events.ts';

/** One for each process: it knows the first invocation from the others. */
const logger = new Logger({ serviceName: 'onceflow' });

/** Which function and which invocation it is. */
export type LambdaContext = Parameters<Logger['addContext']>[0];

/**
 * The log of a function on Lambda: one JSON object a line, with Powertools' fields, `keys` and, where it is given, `context`.
 * Lines below `least` are left out.
 */
export function lambdaLog(least: Level, keys: Readonly<Record<string, unknown>>, context?: LambdaContext) {
  logger.setLogLevel(levelName(least));
  if (context !== undefined) logger.addContext(context);
  return (level: Level, message: string, fields?: Readonly<Record<string, unknown>>): void =>
    logger[level](message, { ...keys, ...fields });
}

function levelName(level: Level): 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' {
  return level.toUpperCase() as 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}
