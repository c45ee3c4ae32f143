import { describe, expect, it } from 'vitest';
import { type Budget, checkBudget } from '../../../lib/config/budget.ts';

const BROKER_MAX = 900_000;
const holds: Budget = {
  checkpointIntervalMs: 1000,
  epochTimeoutMs: 60_000,
  commitTimeoutMs: 30_000,
  recoveryTimeoutMs: 120_000,
  transactionTimeoutMs: 600_000,
  leaseMs: 30_000,
};

function refusal(change: Partial<Budget>, brokerMax = BROKER_MAX): string {
  const verdict = checkBudget({ ...holds, ...change }, brokerMax);
  return verdict.ok ? 'accepted' : verdict.refused;
}

describe('the time budget', () => {
  it('holds for the defaults and shows the arithmetic', () => {
    const verdict = checkBudget(holds, BROKER_MAX);
    expect(verdict).toEqual({
      ok: true,
      explanation:
        'epoch timeout 60000 ms (ONCEFLOW_EPOCH_TIMEOUT_MS) + commit timeout 30000 ms (ONCEFLOW_COMMIT_TIMEOUT_MS) + ' +
        'worst recovery 120000 ms (ONCEFLOW_RECOVERY_TIMEOUT_MS) = 210000 ms < ' +
        "transaction timeout 600000 ms (ONCEFLOW_TRANSACTION_TIMEOUT_MS) ≤ the broker's transaction.max.timeout.ms, 900000 ms",
    });
  });

  it("refuses the classic article's settings, checkpoint timeout 5 s with transaction timeout 5 s, showing every number", () => {
    const message = refusal({ epochTimeoutMs: 5000, transactionTimeoutMs: 5000 });
    expect(message).toContain('epoch timeout 5000 ms (ONCEFLOW_EPOCH_TIMEOUT_MS)');
    expect(message).toContain('commit timeout 30000 ms (ONCEFLOW_COMMIT_TIMEOUT_MS)');
    expect(message).toContain('worst recovery 120000 ms (ONCEFLOW_RECOVERY_TIMEOUT_MS)');
    expect(message).toContain('= 155000 ms, which is not below the transaction timeout 5000 ms (ONCEFLOW_TRANSACTION_TIMEOUT_MS)');
    expect(message).toContain('raise ONCEFLOW_TRANSACTION_TIMEOUT_MS above 155000 (the broker allows up to 900000)');
  });

  it('needs ONCEFLOW_EPOCH_TIMEOUT_MS + ONCEFLOW_COMMIT_TIMEOUT_MS + ONCEFLOW_RECOVERY_TIMEOUT_MS to be below ONCEFLOW_TRANSACTION_TIMEOUT_MS', () => {
    expect(refusal({ transactionTimeoutMs: 210_000 })).toContain('not below');
    expect(refusal({ transactionTimeoutMs: 210_001 })).toBe('accepted');
  });

  it("allows the broker's maximum and nothing above it", () => {
    expect(refusal({ transactionTimeoutMs: BROKER_MAX })).toBe('accepted');
    expect(refusal({ transactionTimeoutMs: BROKER_MAX + 1 })).toContain(
      "transaction timeout 900001 ms (ONCEFLOW_TRANSACTION_TIMEOUT_MS) is above the broker's transaction.max.timeout.ms, 900000 ms",
    );
  });

  it('sends to the brokers’ settings when no transaction timeout that they allow would do', () => {
    expect(refusal({ transactionTimeoutMs: 100_000 }, 150_000)).toContain('raise transaction.max.timeout.ms on the brokers (now 150000)');
  });

  it('refuses an ONCEFLOW_CHECKPOINT_INTERVAL_MS above the epoch timeout', () => {
    expect(refusal({ checkpointIntervalMs: 60_001 })).toContain('checkpoint interval 60001 ms');
    expect(refusal({ checkpointIntervalMs: 60_000 })).toBe('accepted');
  });

  it('refuses an ONCEFLOW_LEASE_MS that outlasts the worst recovery', () => {
    expect(refusal({ leaseMs: 120_000 })).toContain('lease 120000 ms (ONCEFLOW_LEASE_MS) is not below');
    expect(refusal({ leaseMs: 119_999 })).toBe('accepted');
  });

  it('reports every contradiction at once', () => {
    const message = refusal({ transactionTimeoutMs: 1_000_000, checkpointIntervalMs: 90_000, leaseMs: 200_000, epochTimeoutMs: 80_000 });
    expect(message.split('\n')).toHaveLength(4);
  });
});
