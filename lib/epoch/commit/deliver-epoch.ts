import { isDeepStrictEqual } from 'node:util';
import { ofName } from '../../config/by-name.ts';
import { growingPauses, type Pauses } from '../../ports/pause.ts';
import type { Committable } from '../../protocol/committable.ts';
import type { CommitPermit, DecidedManifest } from '../../protocol/permit.ts';
import type { Own } from '../../protocol/shape.ts';
import { callStage } from '../attempt/call-stage.ts';
import { JobFailedError, LeftToNextError } from '../coordinator/context.ts';
import { checkHeld, type Held } from '../lease/held.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Commits what of a decided epoch was not prepared: the staged output of these committables, all of one sink, is sent until it is
 * acknowledged. What a crash or a lost answer leaves unknown is sent again: none is missing, and none comes before what was staged
 * before it. What takes longer than one call may take is gone on with by the next. Throws as `commitEpoch` does.
 */
export async function deliverSink(
  held: Held,
  manifest: DecidedManifest,
  permit: CommitPermit,
  committables: readonly Committable[],
): Promise<void> {
  await Promise.all(committables.map((committable) => deliverSubtask(held, manifest, permit, committable)));
}

async function deliverSubtask(held: Held, manifest: DecidedManifest, permit: CommitPermit, committable: Committable): Promise<void> {
  const { deps, settings, signal } = held;
  const { sink, connector, subtask } = committable;
  const staged = ofName(manifest.outputs, sink)?.[subtask] ?? [];
  let done: Own | undefined;
  let pauses = newPauses(held);
  let refusedSinceMs: number | undefined;
  for (;;) {
    const ask = { ask: 'send', connector, permit, committable, staged, ...(done !== undefined && { done }) } as const;
    const call = { of: manifest, role: 'sink', stage: sink, subtask, ask, timeoutMs: settings.epochTimeoutMs } as const;
    const answer = await callStage<'send'>(held, call, signal);
    if (answer.outcome === 'sent') return;
    await checkHeld(held);
    const failed = answer.outcome === 'failed' ? answer : answer.failed;
    refusedSinceMs = failed?.kind === 'refused' ? (refusedSinceMs ?? deps.clock.elapsedMs()) : undefined;
    const hasLasted = refusedSinceMs !== undefined && deps.clock.elapsedMs() - refusedSinceMs >= (deps.refusalTimeoutMs ?? 0);
    if (failed !== undefined && (failed.kind === 'fatal' || hasLasted)) throw new JobFailedError(failed.message);
    if (failed !== undefined)
      deps.observe({ event: 'warning', message: `output of epoch ${manifest.epoch} is sent again: ${failed.message}` });
    if (signal.aborted)
      throw new LeftToNextError(`the output of epoch ${manifest.epoch} is left to the next coordinator: this one was told to end`);
    const came = answer.outcome === 'sent-partly' ? answer.done : done;
    const isFurther = !isDeepStrictEqual(came, done);
    done = came;
    if (isFurther) pauses = newPauses(held);
    if (failed !== undefined || !isFurther) await pauses.wait(signal);
  }
}

function newPauses({ deps }: Held): Pauses {
  return growingPauses(deps, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
}
