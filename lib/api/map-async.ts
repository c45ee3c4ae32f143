import { JobDefinitionError } from '../graph/job.ts';
import { expectKnown } from './known-options.ts';
import { expectWhole } from './whole-number.ts';

/** How many values `mapAsync` has under way, and for how long. */
export interface MapAsyncOptions {
  /** So many values are waited for at once, in each subtask: 1 to 10,000. @default 100 */
  readonly capacity?: number;
  /**
   * So long is waited for the answer to each, in milliseconds, 1 to 450,000; then it has failed. At most half of ONCEFLOW_EPOCH_TIMEOUT_MS,
   * which is checked when the job is started.
   * @default 10,000
   */
  readonly timeoutMs?: number;
}

const MOST_CAPACITY = 10_000;
/** Half of the longest that an epoch may take. */
const MOST_TIMEOUT_MS = 450_000;

/** @param where begins the messages. @throws JobDefinitionError */
export function checkedCalls(fn: unknown, options: MapAsyncOptions, where: string): Required<MapAsyncOptions> {
  const { capacity = 100, timeoutMs = 10_000 } = options;
  if (typeof fn !== 'function') throw new JobDefinitionError(`${where} is ${typeof fn}, not a function`);
  if (/Generator/.test(Object.prototype.toString.call(fn)))
    throw new JobDefinitionError(
      `${where} is a generator: give one that returns a promise; for many values of one put a flatMap behind it`,
    );
  expectKnown<MapAsyncOptions>(options, { capacity: true, timeoutMs: true }, where);
  expectWhole(capacity, `${where}: capacity`, 1, MOST_CAPACITY);
  expectWhole(timeoutMs, `${where}: timeoutMs`, 1, MOST_TIMEOUT_MS);
  return { capacity, timeoutMs };
}
