import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type { Level } from '../lib/epoch/events.ts';
import type { Log } from './log.ts';

/** One for each process: it knows the first invocation from the others. */
const logger = new Logger({ serviceName: 'onceflow' });

/**
 * The log of a function on Lambda: one JSON object a line, with Powertools' fields and `keys`. `context` adds which function
 * and which invocation it is. Lines below `least` are left out.
 */
export function lambdaLog(least: Level, keys: Readonly<Record<string, unknown>>, context?: Context): Log {
  logger.setLogLevel(levelName(least));
  if (context !== undefined) logger.addContext(context);
  return (level, message, fields) => logger[level](message, { ...keys, ...fields });
}

function levelName(level: Level): 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' {
  return level.toUpperCase() as 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}
