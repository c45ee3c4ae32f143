import { ofName } from '../../config/by-name.ts';
import { pauseBeforeRetry } from '../../ports/pause.ts';
import { poolIds } from '../../sinks/kafka/ids.ts';
import { sayHanging } from '../../sinks/kafka/say-hanging.ts';
import { settleTransactions } from '../../sinks/kafka/settle.ts';
import { type CommitSettings, JobFailedError, LeftToNextError } from './context.ts';
import { checkHeld, type Held } from './held.ts';

/** Ids that cannot be settled in this time are said aloud before they are tried again. */
const SETTLE_TIMEOUT_MS = 10_000;
const SETTLE_PAUSE_MS = 1_000;

/**
 * Ends whatever is open under every transactional id that may exist; only after the commits. Goes on until it is done:
 * an id that nobody uses any more would hold up readers until its transaction times out. Returns how many ids there are. `once`: what
 * a broker cannot do now is left to the caller's next try.
 * The caller has just seen that it holds the job. Throws `JobFailedError` when a person has to act, `LeftToNextError` when it is left to the next coordinator, and `SupersededError`.
 */
export async function settlePool(held: Held<Pick<CommitSettings, 'job' | 'transactionTimeoutMs'>>, { once = false } = {}): Promise<number> {
  const { deps, settings, tenure, signal } = held;
  const ids = Object.entries(tenure.pool).flatMap(([sink, parallelism]) =>
    poolIds(settings.job, tenure.incarnation, { [sink]: parallelism }).map((transactionalId) => ({
      transactionalId,
      topics: ofName(tenure.writtenTopics, sink) ?? [],
    })),
  );
  let refusedSinceMs: number | undefined;
  for (;;) {
    const asking = { ...deps, deadlineMs: deps.clock.elapsedMs() + SETTLE_TIMEOUT_MS };
    const settled = await settleTransactions(asking, settings.transactionTimeoutMs, ids);
    if (settled.outcome === 'settled') {
      if (settled.unasked.length > 0) deps.observe({ event: 'warning', message: unaskedText(settled.unasked) });
      await sayHanging(deps, settled.others);
      return ids.length;
    }
    refusedSinceMs = settled.retriable ? undefined : (refusedSinceMs ?? deps.clock.elapsedMs());
    if (refusedSinceMs !== undefined && deps.clock.elapsedMs() - refusedSinceMs >= (deps.refusalTimeoutMs ?? 0))
      throw new JobFailedError(settled.message);
    if (signal.aborted) throw new LeftToNextError(settled.message);
    deps.observe({ event: 'warning', message: settled.message });
    if (once && settled.retriable) throw new LeftToNextError(settled.message);
    await pauseBeforeRetry(deps, SETTLE_PAUSE_MS, signal);
    // Whoever holds the job by now has transactions open under these ids: ending them would cost it an epoch each time.
    await checkHeld(held);
  }
}

function unaskedText(unasked: readonly { readonly topic: string; readonly partition: number }[]): string {
  const places = unasked.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
  return `without a leader for ${SETTLE_TIMEOUT_MS / 1000} s: ${places}; what an earlier attempt may have left open there is ended at the next start or stop, when an epoch writes there, or after two looks of the job that runs`;
}
