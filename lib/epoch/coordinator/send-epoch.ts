import { pauseBeforeRetry } from '../../ports/pause.ts';
import type { SendAnswer } from '../../protocol/answers.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { CommitPermit } from '../../protocol/permit.ts';
import type { BlobRef } from '../../protocol/references.ts';
import type { SendSinkRequest } from '../../protocol/requests.ts';
import { invocationFailure, stageRequest } from './ask-stages.ts';
import { checkGeneration } from './check-generation.ts';
import { type CommitSettings, type CoordinatorDeps, JobFailedError, LeftToNextError, sinkFunctionOf, type Tenure } from './context.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Commits an epoch that was decided at least once: its staged output is sent, without a transaction, until every batch is
 * acknowledged. What a crash or a lost answer leaves unknown is sent again from its beginning, so that records come again
 * but none is missing, and none comes before one that was staged before it. Throws as `commitEpoch` does.
 */
export async function sendEpoch(
  deps: CoordinatorDeps,
  settings: CommitSettings,
  tenure: Tenure,
  manifest: Manifest,
  permit: CommitPermit,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    Object.entries(manifest.outputs).flatMap(([sink, subtasks]) =>
      subtasks.map((staged, subtask) => sendSubtask(deps, settings, tenure, manifest, permit, { sink, subtask, staged }, signal)),
    ),
  );
}

interface StagedSubtask {
  readonly sink: string;
  readonly subtask: number;
  readonly staged: readonly BlobRef[];
}

async function sendSubtask(
  deps: CoordinatorDeps,
  settings: CommitSettings,
  tenure: Tenure,
  manifest: Manifest,
  permit: CommitPermit,
  { sink, subtask, staged }: StagedSubtask,
  signal: AbortSignal,
): Promise<void> {
  if (staged.length === 0) return;
  let refusedSinceMs: number | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const request: SendSinkRequest = {
      ask: 'send',
      ...stageRequest(settings, tenure, manifest, sink, subtask, settings.epochTimeoutMs),
      permit,
      staged,
    };
    const answer = await invokeSend(deps, sinkFunctionOf(settings, sink), request, signal);
    if (answer.outcome === 'sent') return;
    await checkGeneration(deps, settings, tenure, signal);
    refusedSinceMs = answer.kind === 'refused' ? (refusedSinceMs ?? deps.clock.elapsedMs()) : undefined;
    const hasLasted = refusedSinceMs !== undefined && deps.clock.elapsedMs() - refusedSinceMs >= (deps.refusalTimeoutMs ?? 0);
    if (answer.kind === 'fatal' || hasLasted) throw new JobFailedError(answer.message);
    deps.observe({ event: 'warning', message: `output of epoch ${manifest.epoch} is sent again: ${answer.message}` });
    if (signal.aborted)
      throw new LeftToNextError(`the output of epoch ${manifest.epoch} is left to the next coordinator: this one was told to end`);
    await pauseBeforeRetry(deps, pauseMs, signal);
  }
}

async function invokeSend(deps: CoordinatorDeps, stage: string, request: SendSinkRequest, signal: AbortSignal): Promise<SendAnswer> {
  const { subtask, timeoutMs } = request;
  try {
    return (await deps.invoker.invoke({ role: 'sink', stage, subtask }, request, { timeoutMs, signal })) as SendAnswer;
  } catch (error) {
    return invocationFailure(error);
  }
}
