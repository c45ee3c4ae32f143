import { pauseBeforeRetry } from '../../ports/pause.ts';
import { poolIds } from '../../transactions/ids.ts';
import { settleTransactions } from '../../transactions/settle.ts';
import { type CommitSettings, type CoordinatorDeps, JobFailedError, LeftToNextError, sinkStages, type Tenure } from './context.ts';

/** Ids that cannot be settled in this time are said aloud before they are tried again. */
const SETTLE_TIMEOUT_MS = 10_000;
const SETTLE_PAUSE_MS = 1_000;

type SettleSettings = Pick<CommitSettings, 'job' | 'stages' | 'transactionTimeoutMs'>;

/**
 * Ends whatever is open under every transactional id that may exist; only after the commits. Goes on until it is done:
 * an id that nobody uses any more would hold up readers until its transaction times out. Returns how many ids there are.
 * Throws `JobFailedError` when a person has to act, and `LeftToNextError` when `signal` ends it.
 */
export async function settlePool(deps: CoordinatorDeps, settings: SettleSettings, tenure: Tenure, signal: AbortSignal): Promise<number> {
  const ids = Object.entries(tenure.pool).flatMap(([sink, parallelism]) => {
    const topic = sinkStages(settings).find(({ id }) => id === sink)?.topic;
    return poolIds(settings.job, tenure.incarnation, { [sink]: parallelism }).map((transactionalId) => ({ transactionalId, topic }));
  });
  for (;;) {
    const deadlineMs = deps.clock.now() + SETTLE_TIMEOUT_MS;
    const settled = await settleTransactions(deps.kafka, deps, deadlineMs, settings.transactionTimeoutMs, ids);
    if (settled.outcome === 'settled') return ids.length;
    if (!settled.retriable) throw new JobFailedError(settled.message);
    if (signal.aborted) throw new LeftToNextError(settled.message);
    deps.observe({ event: 'warning', message: settled.message });
    await pauseBeforeRetry(deps, SETTLE_PAUSE_MS, signal);
  }
}
