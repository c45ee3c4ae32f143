import type { ConfigFault } from './fault.ts';
import { type Config, parameters } from './parameters.ts';

export type Budget = Pick<
  Config,
  'checkpointIntervalMs' | 'epochTimeoutMs' | 'commitTimeoutMs' | 'recoveryTimeoutMs' | 'transactionTimeoutMs' | 'leaseMs'
>;

export type BudgetVerdict =
  | { readonly ok: true; readonly explanation: string }
  /** `refused` names every number, the arithmetic, and the options to change. */
  | { readonly ok: false; readonly refused: string };

/**
 * The time budget (docs: protocol). A prepared transaction has to stay open from the start of its sink stage until the
 * commit, also when the coordinator crashes in between; the broker aborts what is open for longer than the transaction
 * timeout. An exceeded budget is still safe, because the staged output is republished, but every crash would be slow.
 *
 * @param brokerMaxTransactionTimeoutMs the broker's `transaction.max.timeout.ms`.
 */
export function checkBudget(budget: Budget, brokerMaxTransactionTimeoutMs: number): BudgetVerdict {
  const sum = budget.epochTimeoutMs + budget.commitTimeoutMs + budget.recoveryTimeoutMs;
  const arithmetic =
    `epoch timeout ${named(budget, 'epochTimeoutMs')} + commit timeout ${named(budget, 'commitTimeoutMs')} + ` +
    `worst recovery ${named(budget, 'recoveryTimeoutMs')} = ${sum} ms`;
  const transaction = `transaction timeout ${named(budget, 'transactionTimeoutMs')}`;
  const broker = `the broker's transaction.max.timeout.ms, ${brokerMaxTransactionTimeoutMs} ms`;
  const refusals: string[] = [];

  if (sum >= budget.transactionTimeoutMs) {
    const mend =
      sum < brokerMaxTransactionTimeoutMs
        ? `raise ${parameters.transactionTimeoutMs.variable} above ${sum} (the broker allows up to ${brokerMaxTransactionTimeoutMs}), or lower the others`
        : `raise transaction.max.timeout.ms on the brokers (now ${brokerMaxTransactionTimeoutMs}) and ${parameters.transactionTimeoutMs.variable} above ${sum}, or lower the others`;
    refusals.push(
      `${arithmetic}, which is not below the ${transaction}: the broker could abort a transaction before it is committed; ${mend}`,
    );
  }
  if (budget.transactionTimeoutMs > brokerMaxTransactionTimeoutMs) {
    refusals.push(
      `${transaction} is above ${broker}: the broker refuses it; lower ${parameters.transactionTimeoutMs.variable}, or raise transaction.max.timeout.ms on the brokers`,
    );
  }
  if (budget.checkpointIntervalMs > budget.epochTimeoutMs) {
    refusals.push(
      `checkpoint interval ${named(budget, 'checkpointIntervalMs')} is above the epoch timeout ${named(budget, 'epochTimeoutMs')}: ` +
        `an epoch that takes in one interval's input would be given up sooner than the next is due; raise ${parameters.epochTimeoutMs.variable}, or lower ${parameters.checkpointIntervalMs.variable}`,
    );
  }
  if (budget.leaseMs >= budget.recoveryTimeoutMs) {
    refusals.push(
      `lease ${named(budget, 'leaseMs')} is not below the worst recovery ${named(budget, 'recoveryTimeoutMs')}: ` +
        `a scheduled revival waits for the lease to expire before it can commit anything; lower ${parameters.leaseMs.variable}, or raise ${parameters.recoveryTimeoutMs.variable}`,
    );
  }

  if (refusals.length === 0) return { ok: true, explanation: `${arithmetic} < ${transaction} ≤ ${broker}` };
  const each = refusals.length === 1 ? ` ${refusals[0]}` : `\n  ${refusals.join('\n  ')}`;
  return { ok: false, refused: `the job cannot start with this time budget:${each}` };
}

/** Of a broker that nobody changed. */
const DEFAULT_MAX_TRANSACTION_TIMEOUT_MS = 900_000;

/** The same before there is a broker to ask: its own limit is not known, and its default refuses nothing that another one might allow. */
export function budgetFaults(budget: Budget): ConfigFault[] {
  const { transactionTimeoutMs } = budget;
  const verdict = checkBudget(budget, Math.max(transactionTimeoutMs, DEFAULT_MAX_TRANSACTION_TIMEOUT_MS));
  if (verdict.ok) return [];
  const { variable: option } = parameters.transactionTimeoutMs;
  return [{ option, value: `${transactionTimeoutMs}`, rule: 'within the time budget', mend: verdict.refused }];
}

function named(budget: Budget, name: keyof Budget): string {
  return `${budget[name]} ms (${parameters[name].variable})`;
}
