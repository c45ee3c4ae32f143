import { growingPauses } from '../../ports/pause.ts';
import type { CommitPermit, DecidedManifest } from '../../protocol/permit.ts';
import type { BlobRef } from '../../protocol/references.ts';
import { callStage } from './call-stage.ts';
import { JobFailedError, LeftToNextError } from './context.ts';
import { checkHeld, type Held } from './held.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Commits an epoch that was decided at least once: its staged output is sent, without a transaction, until every batch is
 * acknowledged. What a crash or a lost answer leaves unknown is sent again from its beginning, so that records come again
 * but none is missing, and none comes before one that was staged before it. Throws as `commitEpoch` does.
 */
export async function sendEpoch(held: Held, manifest: DecidedManifest, permit: CommitPermit): Promise<void> {
  await Promise.all(
    Object.entries(manifest.outputs).flatMap(([sink, subtasks]) =>
      subtasks.map((staged, subtask) => sendSubtask(held, manifest, permit, { sink, subtask, staged })),
    ),
  );
}

interface StagedSubtask {
  readonly sink: string;
  readonly subtask: number;
  readonly staged: readonly BlobRef[];
}

async function sendSubtask(held: Held, manifest: DecidedManifest, permit: CommitPermit, of: StagedSubtask): Promise<void> {
  const { deps, settings, signal } = held;
  const { sink, subtask, staged } = of;
  if (staged.length === 0) return;
  const ask = { ask: 'send', permit, staged } as const;
  const call = { of: manifest, role: 'sink', stage: sink, subtask, ask, timeoutMs: settings.epochTimeoutMs } as const;
  const pauses = growingPauses(deps, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  let refusedSinceMs: number | undefined;
  for (;;) {
    const answer = await callStage<'send'>(held, call, signal);
    if (answer.outcome === 'sent') return;
    await checkHeld(held);
    refusedSinceMs = answer.kind === 'refused' ? (refusedSinceMs ?? deps.clock.elapsedMs()) : undefined;
    const hasLasted = refusedSinceMs !== undefined && deps.clock.elapsedMs() - refusedSinceMs >= (deps.refusalTimeoutMs ?? 0);
    if (answer.kind === 'fatal' || hasLasted) throw new JobFailedError(answer.message);
    deps.observe({ event: 'warning', message: `output of epoch ${manifest.epoch} is sent again: ${answer.message}` });
    if (signal.aborted)
      throw new LeftToNextError(`the output of epoch ${manifest.epoch} is left to the next coordinator: this one was told to end`);
    await pauses.wait(signal);
  }
}
