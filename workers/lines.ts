import { logLine } from '../host/log.ts';
import type { PoolOptions } from './pool.ts';

/** What processes of functions say, on standard output: each line as it is. */
export const lineOut: Pick<PoolOptions, 'onLine' | 'onCrash'> = {
  onLine: (_name, line) => void process.stdout.write(`${line}\n`),
  onCrash: (name, how) => logLine('warn', `${name} of the functions ended with ${how}: it is started again`),
};
