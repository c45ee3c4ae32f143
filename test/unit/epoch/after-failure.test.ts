import { describe, expect, it } from 'vitest';
import {
  type AfterFailure,
  afterDecidedEpoch,
  afterFailedAttempt,
  type FailedEpoch,
  type FailureRules,
  NO_TROUBLE,
  type Trouble,
} from '../../../lib/epoch/failure/after-failure.ts';
import type { InputPart } from '../../../lib/epoch/failure/isolate.ts';

const part = (from: number, bound: number): InputPart => ({ stage: 'read', topic: 'in', partition: 3, from, bound });
const fault = { operator: 'count', errorClass: 'RangeError', message: 'no', stack: 'RangeError: no\n    at count' };
const thrown = (from: number, bound: number): FailedEpoch => ({
  epoch: 5,
  stage: 'count',
  kind: 'user-code',
  message: 'count: RangeError: no',
  fault,
  input: [part(from, bound)],
});
const away: FailedEpoch = {
  epoch: 5,
  stage: 'count',
  kind: 'transient',
  message: 'the broker was away',
  fault: undefined,
  input: [part(8, 9)],
};
const rules: FailureRules = {
  restart: { kind: 'exponential', firstMs: 100, maxMs: 1_000 },
  tolerableFailures: Number.POSITIVE_INFINITY,
  poisonAttempts: 2,
  leavesOut: true,
};

function follow(failures: readonly FailedEpoch[], change: Partial<FailureRules> = {}): { trouble: Trouble; next: AfterFailure[] } {
  let trouble = NO_TROUBLE;
  const next = failures.map((failed) => {
    const told = afterFailedAttempt(trouble, failed, { ...rules, ...change }, { wallMs: 1_000_000, elapsedMs: 0 }, 1);
    trouble = told.trouble;
    return told.next;
  });
  return { trouble, next };
}

describe('a record that failed alone as often as it may', () => {
  it('is left out of the next epoch, with the reason, where records are left out', () => {
    const { trouble, next } = follow([thrown(8, 9), thrown(8, 9)]);
    const record = {
      topic: 'in',
      partition: 3,
      offset: 8,
      reason: {
        stage: 'count',
        operator: 'count',
        errorClass: 'RangeError',
        message: 'no',
        stack: 'RangeError: no\n    at count',
        attempts: 2,
      },
    };
    expect(next.at(-1)).toEqual({ outcome: 'leaves-out', inMs: 100, record });
    expect(trouble.condemned).toEqual({ source: 'read', record });
  });

  it('stops the job elsewhere, with topic, partition, offset, operator and the stack of the function', () => {
    const { trouble, next } = follow([thrown(8, 9), thrown(8, 9)], { leavesOut: false });
    expect(next.at(-1)).toEqual({
      outcome: 'stops',
      message: expect.stringMatching(
        /^topic in, partition 3, offset 8: this record alone failed 2 times in a row in count of stage count \(ONCEFLOW_POISON_ATTEMPTS\): RangeError: no\. The job stops here and skips nothing\..*\nRangeError: no\n {4}at count$/s,
      ),
    });
    expect(trouble.condemned).toBeUndefined();
  });

  it('stays condemned when its epoch fails for another reason, until that is decided', () => {
    const { trouble } = follow([thrown(8, 9), thrown(8, 9), away]);
    expect(trouble.condemned?.record.offset).toBe(8);
    expect(afterDecidedEpoch(trouble, 5, { read: { in: [0, 0, 0, 9] } }, 1)).toMatchObject({ condemned: undefined, lastError: undefined });
  });

  it('is found by a strategy that counts restarts, whatever the search takes', () => {
    const search = [
      thrown(0, 1000),
      thrown(0, 1000),
      ...[500, 250, 125, 62, 31, 15, 7, 3].map((size) => thrown(0, size)),
      thrown(0, 1),
      thrown(0, 1),
    ];
    const { next } = follow(search, { restart: { kind: 'fixed-delay', attempts: 2, delayMs: 5 } });
    expect(next.map(({ outcome }) => outcome)).toEqual([...Array.from({ length: 11 }, () => 'again'), 'leaves-out']);
  });
});

it('the first failure of user code in a row is a restart, as what is not of a record is, and the steps of a search are none', () => {
  const restart = { kind: 'fixed-delay', attempts: 1, delayMs: 5 } as const;
  const outcomes = (failures: readonly FailedEpoch[]) => follow(failures, { restart }).next.map(({ outcome }) => outcome);
  expect(follow([thrown(0, 1000)], { restart: { kind: 'none' } }).next).toMatchObject([{ outcome: 'stops' }]);
  expect(outcomes([thrown(0, 1000), thrown(0, 1000), thrown(0, 500), thrown(0, 250)])).toEqual(['again', 'again', 'again', 'again']);
  expect(outcomes([thrown(0, 1000), thrown(0, 1000), away])).toEqual(['again', 'again', 'stops']);
  expect(outcomes([away, away])).toEqual(['again', 'stops']);
});

describe('what is not of a record', () => {
  it('neither counts as its failure nor makes epochs smaller', () => {
    const often = Array.from({ length: 20 }, () => away);
    const { trouble, next } = follow([...often, thrown(8, 9), ...often]);
    expect(trouble.isolation).toMatchObject({ alone: 1, suspects: [part(8, 9)] });
    expect(follow(often).trouble.isolation).toEqual(NO_TROUBLE.isolation);
    expect(new Set(next.map(({ outcome }) => outcome))).toEqual(new Set(['again']));
  });

  it('is not tolerated for ever when that was said', () => {
    expect(follow([away, away], { tolerableFailures: 1 }).next.at(-1)).toMatchObject({
      outcome: 'stops',
      message: expect.stringContaining('ONCEFLOW_TOLERABLE_FAILURES=1'),
    });
    expect(follow([thrown(8, 9)], { tolerableFailures: 0 }).next).toMatchObject([{ outcome: 'again' }]);
  });
});

describe('a decided epoch', () => {
  it('before the one that failed does not end the trouble', () => {
    const { trouble } = follow([thrown(8, 20)]);
    expect(afterDecidedEpoch(trouble, 4, { read: { in: [0, 0, 0, 8] } }, 8)).toBe(trouble);
    expect(afterDecidedEpoch(trouble, 5, { read: { in: [0, 0, 0, 20] } }, 12)).toMatchObject({
      failures: { inARow: 0 },
      isolation: NO_TROUBLE.isolation,
    });
  });
});

describe('what is told of attempts that failed', () => {
  it('is the newest three, with stage, stack and, where a record is to blame, the input; and nothing once the epoch is decided', () => {
    const { trouble } = follow([away, thrown(0, 16), thrown(0, 8), thrown(4, 8)]);
    const own = { atMs: 1_000_000, epoch: 5, stage: 'count', kind: 'user-code', message: 'count: RangeError: no', stack: fault.stack };
    const inPart = (from: number, bound: number) => ({ ...own, input: [{ topic: 'in', partition: 3, from, bound }] });
    expect(trouble.failed).toEqual([inPart(0, 16), inPart(0, 8), inPart(4, 8)]);
    expect(follow([away]).trouble.failed).toEqual([
      { atMs: 1_000_000, epoch: 5, stage: 'count', kind: 'transient', message: 'the broker was away' },
    ]);
    expect(afterDecidedEpoch(trouble, 5, { read: { in: [0, 0, 0, 9] } }, 1).failed).toEqual([]);
    expect(afterDecidedEpoch(trouble, 4, { read: { in: [0, 0, 0, 9] } }, 1).failed).toEqual(trouble.failed);
  });

  it('is cut to what a row has room for, at whole characters', () => {
    const long = 'ö'.repeat(499) + '\u{1f600}'.repeat(2_000);
    const much = { ...thrown(0, 16), message: long, fault: { ...fault, stack: long }, input: Array.from({ length: 64 }, () => part(0, 1)) };
    const [told] = follow([much]).trouble.failed;
    expect(told?.message.length).toBeLessThanOrEqual(501);
    expect(told?.stack?.length).toBeLessThanOrEqual(1_501);
    expect(told?.message.isWellFormed()).toBe(true);
    expect(told?.input).toHaveLength(4);
  });
});
