import type { Moment } from '../../ports/age.ts';
import type { AttemptFailure } from '../../ports/epoch-store.ts';
import type { RecordFault, StageFailed } from '../../protocol/answers.ts';
import type { SourceOffsets } from '../../protocol/manifest.ts';
import type { CondemnedRecord } from '../../protocol/requests.ts';
import { afterDecision, afterUserFailure, FREE, type InputPart, type Isolation, isSearching } from './isolate.ts';
import {
  countFailure,
  type FailedAttempt,
  type Failures,
  forgetFailures,
  NO_FAILURES,
  type RestartStrategy,
  restartAfter,
} from './restart.ts';
import { withFailure } from './told-failures.ts';

/** What a coordinator remembers of attempts that failed. It is lost with the coordinator: its successor begins anew. */
export interface Trouble {
  readonly failures: Failures;
  readonly isolation: Isolation;
  /** The record that is left out of the next epoch, and the source stage that reads it. */
  readonly condemned: { readonly source: string; readonly record: CondemnedRecord } | undefined;
  /** The newest epoch that failed: only its decision ends the trouble. */
  readonly epoch: number;
  readonly lastError: string | undefined;
  /** The newest failed attempts since an epoch was decided, for people. */
  readonly failed: readonly AttemptFailure[];
}

export const NO_TROUBLE: Trouble = {
  failures: NO_FAILURES,
  isolation: FREE,
  condemned: undefined,
  epoch: 0,
  lastError: undefined,
  failed: [],
};

export interface FailedEpoch {
  readonly epoch: number;
  readonly stage: string;
  /** What is fatal is decided elsewhere: the job stops at once. */
  readonly kind: Exclude<StageFailed['kind'], 'fatal'> | 'stale';
  readonly message: string;
  readonly fault: RecordFault | undefined;
  /** The input in which it failed. */
  readonly input: readonly InputPart[];
}

export interface FailureRules {
  readonly restart: RestartStrategy;
  readonly tolerableFailures: number;
  readonly poisonAttempts: number;
  /** Is poison left out, or does it stop the job? */
  readonly leavesOut: boolean;
}

export type AfterFailure =
  | { readonly outcome: 'again'; readonly inMs: number }
  | { readonly outcome: 'leaves-out'; readonly inMs: number; readonly record: CondemnedRecord }
  /** The job stops and can be started again. */
  | { readonly outcome: 'stops'; readonly message: string };

/** What follows a failed attempt, and what is remembered of it. Only what a record did makes epochs smaller or leaves it out. */
export function afterFailedAttempt(
  before: Trouble,
  failed: FailedEpoch,
  rules: FailureRules,
  now: Moment,
  fraction: number,
): { readonly trouble: Trouble; readonly next: AfterFailure } {
  const { restart, tolerableFailures, poisonAttempts, leavesOut } = rules;
  const lastError = `epoch ${failed.epoch}, stage ${failed.stage}: ${failed.message}`;
  const isOfRecord = failed.kind === 'user-code' || failed.kind === 'record';
  const isolation = isOfRecord ? afterUserFailure(before.isolation, failed.input) : before.isolation;
  const poison = isOfRecord && isolation.alone >= poisonAttempts ? isolation.suspects[0] : undefined;
  const condemned = poison === undefined ? before.condemned : { source: poison.stage, record: condemn(poison, isolation.alone, failed) };
  const attempt: FailedAttempt = {
    isOfRecord,
    isSearch: isOfRecord && (isSearching(isolation) || poison !== undefined),
    message: lastError,
  };
  const failures = countFailure(restart, before.failures, attempt, now.elapsedMs);
  const told = withFailure(before.failed, failed, isOfRecord, now.wallMs);
  const trouble: Trouble = { failures, isolation, condemned, epoch: failed.epoch, lastError, failed: told };
  if (poison !== undefined && condemned !== undefined && !leavesOut)
    return { trouble: { ...trouble, condemned: undefined }, next: { outcome: 'stops', message: poisonMessage(condemned.record) } };
  const next = restartAfter(restart, tolerableFailures, failures, attempt, fraction);
  if (next.outcome === 'gives-up') return { trouble, next: { outcome: 'stops', message: next.message } };
  if (poison === undefined || condemned === undefined) return { trouble, next };
  return { trouble, next: { outcome: 'leaves-out', inMs: next.inMs, record: condemned.record } };
}

/** An epoch of `size` offsets was decided. One before the epoch that failed says nothing of it. */
export function afterDecidedEpoch(before: Trouble, epoch: number, offsets: SourceOffsets, size: number): Trouble {
  if (epoch < before.epoch) return before;
  return {
    ...before,
    failures: forgetFailures(before.failures),
    isolation: afterDecision(before.isolation, offsets, size),
    condemned: undefined,
    lastError: undefined,
    failed: [],
  };
}

function condemn({ topic, partition, from }: InputPart, attempts: number, { stage, fault, message }: FailedEpoch): CondemnedRecord {
  const { operator = stage, errorClass = 'Error', message: reason = message, stack } = fault ?? {};
  return { topic, partition, offset: from, reason: { stage, operator, errorClass, message: reason, stack, attempts } };
}

function poisonMessage({ topic, partition, offset, reason }: CondemnedRecord): string {
  const { stage, operator, errorClass, message, stack, attempts } = reason;
  return (
    `topic ${topic}, partition ${partition}, offset ${offset}: this record alone failed ${attempts} times in a row in ${operator} of stage ${stage} (ONCEFLOW_POISON_ATTEMPTS): ${errorClass}: ${message}. ` +
    'The job stops here and skips nothing. Mend the function and start the job again; or have such records left out (ONCEFLOW_POISON_POLICY=dead-letter); or have them tried for ever (ONCEFLOW_POISON_ATTEMPTS=unlimited).' +
    (stack === undefined ? '' : `\n${stack}`)
  );
}
