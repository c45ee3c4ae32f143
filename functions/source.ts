import { createSourceRuntime, type SourceRuntime } from '../lib/operators/source-runtime.ts';
import type { SourceAnswer, SourceRequest } from '../lib/stages/requests.ts';
import { runSource } from '../lib/stages/source.ts';
import { serveStage, shapeOf, wireWithKafka } from './serve-stage.ts';

/** Runtimes that are not in use, by shape: an invocation takes one, and two at once never share it. */
const idle = new Map<string, SourceRuntime[]>();

/** One epoch of one source subtask: Kafka in, exchange or staged output out. */
export const handler = serveStage(wireWithKafka, async (tools, request: SourceRequest, context): Promise<SourceAnswer> => {
  const shape = shapeOf(request);
  const runtime = idle.get(shape)?.pop() ?? createSourceRuntime(tools.job, request.stage, context);
  const answer = await runSource(tools, runtime, request);
  idle.set(shape, [...(idle.get(shape) ?? []), runtime]);
  return answer;
});
