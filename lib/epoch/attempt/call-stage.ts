import { type FunctionTarget, InvokeError } from '../../ports/function-invoker.ts';
import { type AnswerTo, answerFault, type StageFailed } from '../../protocol/answers.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { type AnyRequest, PROTOCOL_VERSION, type StageRequest } from '../../protocol/requests.ts';
import { type CommitSettings, type CoordinatorDeps, sinkFunctionOf } from '../coordinator/context.ts';
import type { Held } from '../lease/held.ts';
import type { Ask } from './stage-asks.ts';

/** One request to a stage. */
export interface StageCall<A extends AnyRequest['ask']> {
  /** The attempt or the decided epoch that it is for. */
  readonly of: Pick<Manifest, 'epoch' | 'decisionId' | 'parallelism'>;
  readonly role: FunctionTarget['role'];
  readonly stage: string;
  readonly subtask: number;
  readonly ask: Ask<Extract<AnyRequest, { readonly ask: A }>>;
  readonly timeoutMs: number;
}

/** Who asks, and for which run of the job. */
export type Caller = Pick<
  Held<Pick<CommitSettings, 'job' | 'build' | 'plan'>, Pick<CoordinatorDeps, 'invoker'>>,
  'deps' | 'settings' | 'tenure'
>;

/**
 * Asks a stage function, and checks its answer. What has no answer is a failure, and what is none: a function of another build
 * may speak in words that this one does not know. When `signal` aborts, the call is given up.
 */
export async function callStage<A extends AnyRequest['ask']>(
  { deps, settings, tenure }: Caller,
  { of, role, stage, subtask, ask, timeoutMs }: StageCall<A>,
  signal?: AbortSignal,
): Promise<AnswerTo<A> | StageFailed> {
  const common: StageRequest = {
    build: settings.build,
    version: PROTOCOL_VERSION,
    job: settings.job,
    incarnation: tenure.incarnation,
    epoch: of.epoch,
    decisionId: of.decisionId,
    stage,
    subtask,
    timeoutMs,
    deadlineMs: Number.MAX_SAFE_INTEGER,
    parallelism: of.parallelism ?? {},
    sinkFacts: tenure.sinkFacts,
  };
  const target: FunctionTarget = { role, stage: role === 'sink' ? sinkFunctionOf(settings, stage) : stage, subtask };
  try {
    const answer = await deps.invoker.invoke(target, { ...common, ...ask }, { timeoutMs, ...(signal && { signal }) });
    const fault = answerFault(ask.ask as A, answer);
    if (fault === undefined) return answer as AnswerTo<A>;
    return { outcome: 'failed', kind: 'transient', message: `stage ${stage} gave an answer that is none: ${fault}` };
  } catch (error) {
    const kind = error instanceof InvokeError && error.fatal ? 'fatal' : 'transient';
    return { outcome: 'failed', kind, message: error instanceof Error ? error.message : String(error) };
  }
}
