import type { Clock } from '../lib/ports/clock.ts';
import type { StageFailed, StageStale } from '../lib/protocol/answers.ts';
import { earlierRequest } from '../lib/protocol/earlier/requests.ts';
import type { CommitPermit } from '../lib/protocol/permit.ts';
import type { StageRequest } from '../lib/protocol/requests.ts';
import { requestFault } from '../lib/protocol/requests.ts';
import { type Received, received } from '../lib/stages/received.ts';
import { isNeverStale, refusalOf, type StageTools } from '../lib/stages/serve.ts';
import type { LambdaContext } from './lambda-log.ts';
import type { Host } from './process.ts';
import { keepStrayUseFromEndingTheProcess } from './stray-use.ts';
import { systemClock } from './system.ts';

/**
 * The handler of a stage function: opens what the process works with as it starts, checks each payload, refuses work of another build
 * and work whose time is over, and hands the rest to `serve`.
 */
export function serveStage<Request extends StageRequest & { readonly ask: string }, Answer, Tools extends StageTools & Host>(
  asks: readonly Request['ask'][],
  open: (env: NodeJS.ProcessEnv) => Promise<Tools>,
  serve: (tools: Tools, request: Received<Request>) => Promise<Answer>,
  clock: Pick<Clock, 'elapsedMs'> = systemClock,
): (payload: unknown, context?: LambdaContext) => Promise<Answer | StageFailed | StageStale> {
  keepStrayUseFromEndingTheProcess();
  const opened = once(() => open(process.env));
  // Loaded while the function starts, not when it is first called. What fails now is tried again, and said, at the call.
  opened().catch(() => {});
  return async (payload, context) => {
    const cameMs = clock.elapsedMs();
    const earlier = earlierRequest(payload);
    const asked = earlier?.request ?? payload;
    const fault = requestFault(asked, asks);
    if (fault !== undefined) return answerToStrange(payload, fault, await opened());
    const request = received(asked as Request, cameMs);
    const tools = await opened();
    const answer = refusalOf(tools, request) ?? (await serve(tools, request));
    if (context !== undefined && isFailed(answer)) await logFailure(tools, request, answer, context);
    return earlier === undefined ? answer : (earlier.answer(answer) as Answer);
  };
}

/** A coordinator of another build may ask in words that this one does not know: that is an update under way, and passes. */
function answerToStrange(payload: unknown, fault: string, { build }: StageTools): StageFailed | StageStale {
  const message = `the payload of the invocation is no request of a stage: ${fault}`;
  const { ask, build: asker } = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>;
  if (typeof asker !== 'string' || asker === build) return { outcome: 'failed', kind: 'fatal', message };
  if (typeof ask === 'string' && !isNeverStale(ask)) return { outcome: 'stale', build };
  return { outcome: 'failed', kind: 'transient', message: `${message} (build ${asker} asks build ${build}: an update is under way)` };
}

/** On Lambda only: the coordinator tells of it too, but not which subtask it was, nor with which stack. */
async function logFailure(
  { config, job }: Host,
  { ask, epoch, decisionId, stage, subtask, permit }: StageRequest & { readonly ask: string; readonly permit?: CommitPermit },
  { kind, message, stack }: StageFailed,
  context: LambdaContext,
): Promise<void> {
  const { lambdaLog } = await import('./lambda-log.ts');
  const log = lambdaLog(config.logLevel, { job: job.name }, context);
  log('warn', message, { ask, epoch, attempt: decisionId, generation: permit?.generation, stage, subtask, kind, stack });
}

function isFailed(answer: unknown): answer is StageFailed {
  return (answer as { readonly outcome: string }).outcome === 'failed';
}

/** Makes `make`'s result once, at the first call; a failure is not kept. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
