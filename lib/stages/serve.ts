import { ofName } from '../config/by-name.ts';
import { subtasksOf } from '../config/subtasks.ts';
import type { CompiledJob } from '../operators/compiled-job.ts';
import type { StageContext } from '../operators/epoch-output.ts';
import { createOperatorRuntime } from '../operators/operator-runtime.ts';
import { serdesOfStage } from '../operators/serdes-of-stage.ts';
import { createSourceRuntime, type SourceRuntime } from '../operators/source-runtime.ts';
import { edgesFrom, type PhysicalPlan } from '../plan/plan.ts';
import type { SourceRequests } from '../ports/kafka-requests.ts';
import type {
  AbortAnswer,
  CommitAnswer,
  OperatorAnswer,
  PrepareAnswer,
  ResolveAnswer,
  SendAnswer,
  SourceAnswer,
  StageFailed,
  StageStale,
} from '../protocol/answers.ts';
import type { AnyRequest, OperatorRequest, SinkRequest, SourceRequest, StageRequest } from '../protocol/requests.ts';
import { type StateBound, StateMemory } from '../state/state-memory.ts';
import type { StageDeps } from './common.ts';
import { runOperator, type WarmOperator } from './operator.ts';
import { prepared } from './prepared.ts';
import type { Received } from './received.ts';
import { abortSink, commitSink, prepareSink, resolveSink, type SinkDeps, sendSink } from './sink.ts';
import { runSource } from './source.ts';

/** What a function's process works with. */
export interface StageTools extends StageDeps, CompiledJob {
  /** The most that one compressed batch of the input may unpack to. @default 64 MiB */
  readonly maxUnpackedBatchBytes?: number;
  /** What the keyed state of an operator subtask may take in memory. @default no bound */
  readonly stateBound?: StateBound | undefined;
  /** The build that this process runs. */
  readonly build: string;
}

/** Work that must be done whatever build asks for it: what is decided has to be committed. */
const NEVER_STALE: Readonly<Record<AnyRequest['ask'], boolean>> = {
  read: false,
  process: false,
  prepare: false,
  commit: true,
  send: true,
  resolve: true,
  abort: true,
};

export function isNeverStale(ask: string): boolean {
  return Object.hasOwn(NEVER_STALE, ask) && NEVER_STALE[ask as AnyRequest['ask']];
}

/** Refuses work of another build and work whose time is over; undefined: the work is to be done. */
export function refusalOf(
  { build, clock }: StageTools,
  request: Received<StageRequest & { readonly ask: string }>,
): StageFailed | StageStale | undefined {
  if (request.build !== build && !isNeverStale(request.ask)) return { outcome: 'stale', build };
  if (clock.elapsedMs() < request.deadlineMs) return undefined;
  return {
    outcome: 'failed',
    kind: 'transient',
    message: `the ${request.timeoutMs} ms for epoch ${request.epoch} were as good as over before this function began: nothing was done`,
  };
}

/** What a process keeps of a subtask, of the shape that it was asked for last: what was made for another one is of no use any more. */
interface Kept<T> {
  readonly shape: string;
  readonly own: T;
}

/** The source stage in one process. Keeps runtimes that are not in use: an invocation takes one, and two at once never share it. */
export function createSourceServer(): (
  tools: StageTools & { readonly kafka: SourceRequests },
  request: Received<SourceRequest>,
) => Promise<SourceAnswer> {
  const idle = new Map<string, Kept<SourceRuntime[]>>();
  return (tools, request) => {
    const runtimes = keptOf(idle, tools, request, () => []);
    const create = () => createSourceRuntime(tools, request.stage, contextOf(request), tools.maxUnpackedBatchBytes);
    return prepared(serdesOfStage(tools, request.stage), async (lacks) => {
      const runtime = runtimes.pop() ?? create();
      const answer = await runSource(tools, runtime, request, lacks);
      // What a failed one has under way, a blob that nobody waits for, may still read its buffers.
      if (answer.outcome === 'read') runtimes.push(runtime);
      return answer;
    });
  };
}

/** The operator stage in one process. Keeps the state of its subtasks. */
export function createOperatorServer(): (tools: StageTools, request: Received<OperatorRequest>) => Promise<OperatorAnswer> {
  const warm = new Map<string, Kept<WarmOperator>>();
  return (tools, request) => {
    const none = (): WarmOperator => ({ runtime: undefined, snapshotIds: {} });
    const held = keptOf(warm, tools, request, none, leaveWarm);
    const { stateBound } = tools;
    const memory = () => (stateBound === undefined ? undefined : new StateMemory(stateBound));
    const create = () => createOperatorRuntime(tools, request.stage, contextOf(request), request.subtask, memory());
    return prepared(serdesOfStage(tools, request.stage), () => runOperator(tools, held, create, request));
  };
}

/** What is still worked on in that shape finds no state there, which would be closed, and closes none a second time. */
function leaveWarm(left: WarmOperator): void {
  left.runtime?.close();
  left.runtime = undefined;
}

/** Everything that is done by a sink's connector: prepare, commit, resolve, abort; or send. */
export function serveSink(
  tools: SinkDeps,
  request: Received<SinkRequest>,
): Promise<PrepareAnswer | CommitAnswer | SendAnswer | ResolveAnswer | AbortAnswer | StageFailed> {
  switch (request.ask) {
    case 'prepare':
      return prepareSink(tools, request);
    case 'commit':
      return commitSink(tools, request);
    case 'send':
      return sendSink(tools, request);
    case 'resolve':
      return resolveSink(tools, request);
    case 'abort':
      return abortSink(tools, request);
  }
}

function keptOf<T>(kept: Map<string, Kept<T>>, { plan }: CompiledJob, request: StageRequest, none: () => T, leave?: (known: T) => void): T {
  const place = JSON.stringify([request.stage, request.subtask]);
  const shape = shapeOf(plan, request);
  const known = kept.get(place);
  if (known?.shape === shape) return known.own;
  if (known !== undefined) leave?.(known.own);
  const own = none();
  kept.set(place, { shape, own });
  return own;
}

/**
 * Names everything that a runtime is built for: one that was built for other numbers is not used again. Of parallelism that is its own,
 * which says whose keys it has, and that of the stages that its exchange is cut for.
 */
function shapeOf(plan: PhysicalPlan, { stage, incarnation, parallelism, sinkFacts }: StageRequest): string {
  const readers = edgesFrom(plan, stage).flatMap(({ to, how }) => (how === 'sink' ? [] : [to]));
  const subtasks = [stage, ...readers].map((each) => subtasksOf(parallelism, each));
  return JSON.stringify([incarnation, subtasks, sinkFacts]);
}

/** How many subtasks there are, and what sinks write to: as the coordinator sees it, so that all stages of an epoch agree. */
function contextOf(request: SourceRequest | OperatorRequest): StageContext {
  return {
    parallelism: (stage) => subtasksOf(request.parallelism, stage),
    maxParallelism: request.maxParallelism,
    facts: (sink) => {
      const known = ofName(request.sinkFacts, sink);
      if (known === undefined) throw new Error(`the coordinator did not describe what sink ${sink} writes to: it runs another job`);
      return known;
    },
  };
}
