import type { Serde } from '../format/serde.ts';
import { type BroadcastNode, broadcastStateName, JobDefinitionError, type KeyByNode } from '../graph/job.ts';
import { isAt, type NodeAt } from '../graph/kinds.ts';
import { edgesTo } from '../plan/plan.ts';
import { keyGroupRange } from '../protocol/key-groups.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import type { Push } from '../records/push.ts';
import type { BroadcastState } from '../state/broadcast-state.ts';
import { RecordScope } from '../state/record-scope.ts';
import type { StateMemory } from '../state/state-memory.ts';
import type { StateSet } from '../state/state-set.ts';
import { AsyncCalls, type Blame } from './async-calls.ts';
import type { OpenBroadcast } from './broadcast-side.ts';
import { compileChain, compileSide, isSideRead } from './chain.ts';
import type { CompiledJob } from './compiled-job.ts';
import { EdgeWriters } from './edge-writers.ts';
import { EpochClock } from './epoch-clock.ts';
import type { StageContext } from './epoch-output.ts';
import type { OpenKeyed, TakeRow } from './kind.ts';
import { LATE } from './kinds/time-order.ts';
import { keyedKind } from './kinds.ts';
import { LateValues } from './late-values.ts';
import { withOrigins } from './origins.ts';

/** An operator stage's operators, opened once for its subtask, with what leads to them and what they share. */
export interface OpenedStage {
  readonly current: CurrentRecord;
  readonly scope: RecordScope;
  readonly clock: EpochClock;
  readonly late: LateValues;
  readonly edges: EdgeWriters;
  readonly calls: AsyncCalls;
  readonly operators: readonly OpenKeyed[];
  readonly inputs: readonly (KeyedInput | BroadcastInput)[];
  readonly broadcasts: readonly OpenBroadcast[];
  readonly states: ReadonlyMap<string, StateSet>;
  readonly broadcastStates: ReadonlyMap<string, BroadcastState>;
}

/** An input of the stage by key, and which operators read it. */
export interface KeyedInput {
  readonly keyBy: KeyByNode;
  /** How its values are read. */
  readonly value: Serde<unknown>;
  readonly heads: readonly Head[];
}

/** One that is broadcast. */
export interface BroadcastInput {
  readonly keyBy?: undefined;
  readonly value: Serde<unknown>;
  readonly take: Push;
}

/** An operator that reads an input, and what of it takes the rows. */
export interface Head {
  readonly operator: OpenKeyed;
  readonly takeRow: TakeRow;
}

/** Which subtask of which stage. */
export interface StagePlace {
  readonly stageId: string;
  readonly context: StageContext;
  readonly subtask: number;
  /** What its keyed state may take. Undefined: there is no bound. */
  readonly memory: StateMemory | undefined;
}

/** @param blame whose fault it is when a value that comes now fails later */
export function openStage(compiled: CompiledJob, place: StagePlace, blame: (current: CurrentRecord) => Blame): OpenedStage {
  const { job, plan } = compiled;
  const { stageId, context, subtask, memory } = place;
  const { maxParallelism } = context;
  const keyGroups = keyGroupRange(subtask, context.parallelism(stageId), maxParallelism);
  const inputNodes = inputsOf(compiled, stageId);
  const keyBys = inputNodes.filter((node) => node.kind === 'keyBy');
  const current: CurrentRecord = { timestamp: 0, key: undefined, keyHash: 0, keySerde: keyBys[0]?.key, origin: '', turn: 0 };
  const edges = new EdgeWriters(plan, stageId, context);
  const calls = new AsyncCalls(current, () => blame(current));
  const scope = new RecordScope();
  const clock = new EpochClock();
  const late = new LateValues();
  const nodes = job.nodes.filter((node) => isAt(node, 'keyed')).filter(({ inputs }) => keyBys.some(({ id }) => inputs.includes(id)));
  const opened = nodes.map((node) => {
    const parts = { job, edges, current, calls };
    const next = () => compileChain(parts, node.id, 'kept');
    const side = (tag: string) => {
      if (tag !== LATE) return compileSide(parts, node.id, tag, 'kept');
      return late.counted(node.uid, isSideRead(job, node.id, tag), compileSide(parts, node.id, tag, 'passed'));
    };
    return { node, operator: keyedKind(node).open(node, { current, scope, clock, maxParallelism, keyGroups, memory, next, side }) };
  });
  const operators = opened.map(({ operator }) => operator);
  const inputs = inputNodes.map((node, input): KeyedInput | BroadcastInput => {
    const carriesOrigins = edgesTo(plan, stageId).some((edge) => edge.input === input && edge.withOrigins === true);
    const value = carriesOrigins ? withOrigins(node.value, current) : node.value;
    if (node.kind === 'keyBy') return { keyBy: node, value, heads: headsOf(node, opened) };
    return { value, take: takerOf(node, opened) };
  });
  const broadcasts = operators.flatMap(({ broadcast }) => broadcast ?? []);
  const states = new Map(operators.map(({ uid, state }) => [uid, state]));
  const broadcastStates = new Map(
    operators.flatMap(({ uid, broadcast }) => (broadcast === undefined ? [] : [[broadcastStateName(uid), broadcast.state] as const])),
  );
  return { current, scope, clock, late, edges, calls, operators, inputs, broadcasts, states, broadcastStates };
}

interface Opened {
  readonly node: NodeAt<'keyed'>;
  readonly operator: OpenKeyed;
}

/** What takes the rows of a keyBy. */
function headsOf({ id }: KeyByNode, opened: readonly Opened[]): readonly Head[] {
  return opened.flatMap(({ node, operator }) =>
    operator.inputs.flatMap((takeRow, at): Head[] => (node.inputs[at] === id ? [{ operator, takeRow }] : [])),
  );
}

/** What takes the rows of a broadcast: of the one operator that reads it. */
function takerOf({ id }: BroadcastNode, opened: readonly Opened[]): Push {
  for (const { node, operator } of opened) {
    const take = operator.broadcast?.inputs[node.inputs.indexOf(id) - operator.inputs.length];
    if (take !== undefined) return take;
  }
  throw new Error(`nothing takes what node ${id} broadcasts`);
}

/** The nodes that lead to the stage, by its inputs. */
function inputsOf({ job, plan }: CompiledJob, stageId: string): readonly (KeyByNode | BroadcastNode)[] {
  const inputs: (KeyByNode | BroadcastNode)[] = [];
  for (const { node, input } of edgesTo(plan, stageId)) {
    const before = node === undefined ? undefined : job.nodes[node];
    if (before?.kind === 'keyBy' || before?.kind === 'broadcast') inputs[input] = before;
  }
  if (inputs.length === 0) throw new JobDefinitionError(`job ${job.name} has no operator stage ${stageId}`);
  return inputs;
}
