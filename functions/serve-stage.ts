import type { StageContext } from '../lib/operators/epoch-output.ts';
import type { KafkaRequests } from '../lib/ports/kafka-requests.ts';
import type { StageFailed, StageRequest, StageStale } from '../lib/stages/requests.ts';
import { buildId } from './build-id.ts';
import { connectFunction, type Wiring, wireFunction } from './wiring.ts';

/** Work that must be done whatever build asks for it: what is decided has to be committed. */
const NEVER_STALE = ['commit', 'resolve', 'abort'];

/**
 * The handler of a stage function: wires the process at the first call, refuses work of another build and work that is
 * past its deadline, and hands the rest to `run`.
 */
export function serveStage<Request extends StageRequest & { readonly ask: string }, Answer, Tools extends Wiring>(
  wireTools: (env: NodeJS.ProcessEnv) => Promise<Tools>,
  run: (tools: Tools, request: Request, context: StageContext) => Promise<Answer>,
): (request: Request) => Promise<Answer | StageFailed | StageStale> {
  const wire = once(() => wireTools(process.env));
  return async (request) => {
    const tools = await wire();
    if (request.build !== buildId(process.env) && !NEVER_STALE.includes(request.ask)) return { outcome: 'stale', build: buildId(process.env) };
    if (tools.clock.now() >= request.deadlineMs) return { outcome: 'failed', kind: 'transient', message: `the request for epoch ${request.epoch} came after its deadline: nothing was done` };
    return run(tools, request, contextOf(request, tools.config.maxParallelism));
  };
}

/** Names everything that a runtime is built for: one that was built for other numbers is not used again. */
export function shapeOf(request: StageRequest): string {
  return JSON.stringify([request.stage, request.subtask, request.incarnation, request.parallelism, request.sinkTopics]);
}

/** The tools of a stage that talks to Kafka. */
export async function wireWithKafka(env: NodeJS.ProcessEnv): Promise<Wiring & { readonly kafka: KafkaRequests }> {
  const wiring = await wireFunction(env);
  return { ...wiring, kafka: await connectFunction(wiring) };
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

/** How many subtasks and partitions there are: as the coordinator sees it, so that all stages of an epoch agree. */
function contextOf(request: StageRequest, maxParallelism: number): StageContext {
  const topicOf = (topic: string) => {
    const known = request.sinkTopics[topic];
    if (known === undefined) throw new Error(`the coordinator did not describe topic ${topic}: it runs another job`);
    return known;
  };
  return {
    parallelism: (stage) => request.parallelism[stage] ?? 1,
    maxParallelism,
    partitions: (topic) => topicOf(topic).partitions,
    maxBatchBytes: (topic) => topicOf(topic).maxBatchBytes,
  };
}
