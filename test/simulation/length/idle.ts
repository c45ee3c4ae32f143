import { ASSUMED_MS } from '../../../bench/cost/operations.ts';
import type { Prices } from '../../../bench/cost/prices.ts';
import type { LongOutcome, LongRunOptions } from './long-run.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const MEGA = 1e6;
const GB = 1_024 ** 3;
/** What the first record led to is over by then. */
const SETTLED_MS = HOUR_MS;
/** As a deployment has it, if nobody says otherwise. */
const COORDINATOR_GB = 0.5;

/** `stays`: the coordinator does. `exits`: it ends when there is no input, and each tick looks (ONCEFLOW_IDLE_EXIT_MS=0). */
export type IdleWay = 'stays' | 'exits';

/** A job that had one record, and then none. */
export function idleRun(days: number, intervalMs: number, way: IdleWay): LongRunOptions {
  return {
    untilMs: SETTLED_MS + days * DAY_MS,
    intervalMs,
    inputEveryMs: undefined,
    ...(way === 'exits' && { idleExitMs: 0 }),
    inlineBlobBytes: 16_384,
    deeds: [],
    failures: 0,
    sampleEveryMs: HOUR_MS,
    countFromMs: SETTLED_MS,
  };
}

/** What a year asks for, as the days that were run did. */
export interface IdleYear {
  readonly epochs: number;
  readonly tenures: number;
  readonly ticks: number;
  readonly coordinatorSeconds: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly puts: number;
  readonly lists: number;
  readonly gets: number;
  readonly storedBytes: number;
}

const READS = ['readJob', 'readEpoch', 'listEpochs', 'readSavepoint', 'listSavepoints'];
const BUCKET = ['put', 'get', 'list', 'delete'];

export function idleYearOf(outcome: LongOutcome, days: number): IdleYear {
  const { calls, tenures, ticks, tenureMs, samples } = outcome;
  const year = (count: number) => Math.round((count * YEAR_MS) / (days * DAY_MS));
  const units = (apis: readonly string[]) => apis.reduce((sum, api) => sum + calls.of(api).units, 0);
  const writes = calls.apis.filter((api) => !READS.includes(api) && !BUCKET.includes(api));
  const last = samples.at(-1);
  return {
    epochs: year(calls.of('decide').calls),
    tenures: year(tenures),
    ticks: year(ticks),
    // Without a network a tick takes no time: what it takes is assumed. A coordinator that stays runs for all of it.
    coordinatorSeconds: year((tenureMs + tenures * ASSUMED_MS.startOfCoordinator + (ticks - tenures) * ASSUMED_MS.tickThatLeaves) / 1_000),
    writeUnits: year(units(writes)),
    readUnits: year(units(READS)),
    puts: year(calls.of('put').calls),
    lists: year(calls.of('list').calls),
    gets: year(calls.of('get').calls),
    storedBytes: (last?.tableBytes ?? 0) + (last?.blobBytes ?? 0),
  };
}

export function dollarsOf(year: IdleYear, prices: Prices): Readonly<Record<'lambda' | 'table' | 'bucket', number>> {
  const { coordinatorSeconds, ticks, writeUnits, readUnits, puts, lists, gets, storedBytes } = year;
  return {
    lambda: coordinatorSeconds * COORDINATOR_GB * prices.lambdaArmGbSecond + (ticks / MEGA) * prices.lambdaMillionRequests,
    table:
      (writeUnits / MEGA) * prices.dynamoMillionWriteUnits +
      (readUnits / MEGA) * prices.dynamoMillionReadUnits +
      (storedBytes / GB) * 12 * (prices.dynamoGbMonth + prices.dynamoRestorableGbMonth),
    bucket: ((puts + lists) / 1_000) * prices.s3ThousandPuts + (gets / 1_000) * prices.s3ThousandGets,
  };
}
