import { inCluster } from '../config/clusters.ts';
import { broadcastStateName, type ConsumerNode, type JobDefinition, JobDefinitionError, type JobNode, nodeLabel } from '../graph/job.ts';
import { isAt, type NodeAt, timeOf } from '../graph/kinds.ts';
import { targetOf } from '../sinks/kinds.ts';
import { withDeadLetters } from './dead-letters.ts';
import { type Edge, edgeBetween, type OperatorStage, type PhysicalPlan, type Stage } from './plan.ts';
import { sourcesTo } from './time.ts';

/**
 * Cuts the job's graph into stages: chains between edges. With `deadLetterTopic` one more is the sink of records that are left
 * out. Throws `JobDefinitionError` when the nodes do not go together, and when the job itself uses that topic.
 */
export function compilePlan(job: JobDefinition, deadLetterTopic?: string): PhysicalPlan {
  const keyed = keyedParts(job);
  const stages: Stage[] = [];
  const edges: Edge[] = [];
  /** By node: the stages in which its values are made. Of a node with several inputs these may be several. */
  const madeIn: (readonly string[])[] = [];
  const longestCalls = new Map<string, number>();
  for (const node of job.nodes) {
    if (isAt(node, 'source')) {
      const { uid: id, startingOffsets, eventTime } = node;
      const topic = inCluster(node.cluster, node.topic);
      const timed = eventTime !== undefined && {
        eventTime: { idleAfterMs: eventTime.idleAfterMs, alignWithinMs: eventTime.alignWithinMs },
      };
      stages.push({ kind: 'source', id, topic, startingOffsets, ...timed });
      madeIn[node.id] = [id];
      continue;
    }
    const upstream = [...new Set(node.inputs.flatMap((input) => madeIn[input] ?? []))];
    if (upstream.length === 0) throw new JobDefinitionError(`job ${job.name}: ${nodeLabel(job, node)} has no input`);
    checkInputs(job, node);
    madeIn[node.id] = upstream;
    if (node.kind === 'mapAsync')
      for (const stage of upstream) longestCalls.set(stage, Math.max(longestCalls.get(stage) ?? 0, node.timeoutMs));
    if (isAt(node, 'side')) continue;
    if (isAt(node, 'exchange') || isAt(node, 'broadcast')) {
      const { id, keyBys, broadcasts, operators } = keyed(node);
      const inputs = [...keyBys, ...broadcasts];
      const how = isAt(node, 'exchange') ? 'key' : 'broadcast';
      checkKeySerde(job, id, keyBys);
      for (const from of upstream) edges.push(edgeBetween({ from, to: id, input: inputs.indexOf(node.id), how, node: node.id }));
      if (node.id === Math.max(...inputs)) stages.push(operatorStage(id, operators));
      madeIn[node.id] = [id];
    } else if (isAt(node, 'sink')) {
      const { uid: id, to } = node;
      for (const from of upstream) edges.push(edgeBetween({ from, to: id, input: 0, how: 'sink', node: node.id }));
      stages.push({ kind: 'sink', id, to: targetOf(to) });
    }
  }
  const inTurn = inOrder(job, stages, edges).map((stage) => withLongestCall(stage, longestCalls.get(stage.id)));
  const plan: PhysicalPlan = { job: job.name, stages: inTurn, edges: withOrigins(job, inTurn, byInput(edges)) };
  checkEventTime(job, plan);
  return deadLetterTopic === undefined ? plan : withDeadLetters(plan, job, deadLetterTopic);
}

function withLongestCall(stage: Stage, longestCallMs: number | undefined): Stage {
  return longestCallMs === undefined ? stage : { ...stage, longestCallMs };
}

function operatorStage(id: string, operators: readonly NodeAt<'keyed'>[]): OperatorStage {
  const broadcastStates = operators.flatMap((node) =>
    node.kind === 'process' && node.broadcast !== undefined ? [broadcastStateName(node.uid)] : [],
  );
  return {
    kind: 'operator',
    id,
    operators: operators.map(({ uid }) => uid),
    ...(broadcastStates.length > 0 && { broadcastStates }),
    ...(operators.some((operator) => timeOf(operator) !== undefined) && { usesTime: true }),
  };
}

/** Every stage behind those that lead to it, otherwise as they were defined. */
function inOrder(job: JobDefinition, stages: readonly Stage[], edges: readonly Edge[]): Stage[] {
  const ordered: Stage[] = [];
  const isReady = ({ id }: Stage) => edges.every(({ from, to }) => to !== id || ordered.some((stage) => stage.id === from));
  for (let left = stages; left.length > 0; left = left.filter((stage) => !ordered.includes(stage))) {
    const next = left.find(isReady);
    if (next !== undefined) ordered.push(next);
    else
      throw new JobDefinitionError(
        `job ${job.name}: stage ${left.map(({ id }) => id).join(' and stage ')} would wait for what is made of its own output: operators behind one keyBy run together; ` +
          'give the one that reads what the other makes a keyBy of its own',
      );
  }
  return ordered;
}

/** Within an epoch the rows that are broadcast come before the others, and those of an input before those of the next. */
function byInput(edges: readonly Edge[]): Edge[] {
  const place = ({ how, input }: Edge) => (how === 'broadcast' ? -1 : input);
  return edges.toSorted((one, other) => place(one) - place(other));
}

/** Keyed operators that share a keyBy, and all that they read: they are one stage. */
interface KeyedPart {
  readonly id: string;
  /** The inputs of the stage, as its operators name them. */
  readonly keyBys: readonly number[];
  /** Behind them, in the same order. */
  readonly broadcasts: readonly number[];
  readonly operators: readonly NodeAt<'keyed'>[];
}

function keyedParts(job: JobDefinition): (exchange: NodeAt<'exchange' | 'broadcast'>) => KeyedPart {
  let parts: KeyedPart[] = [];
  const inputsOf = (node: NodeAt<'keyed'>, place: 'exchange' | 'broadcast') =>
    node.inputs.filter((input) => isAt(job.nodes[input] as JobNode, place));
  const together = (...ids: (readonly number[])[]) => [...new Set(ids.flat())];
  for (const node of job.nodes) {
    if (!isAt(node, 'keyed')) continue;
    const own = inputsOf(node, 'exchange');
    const shared = parts.filter(({ keyBys }) => own.some((input) => keyBys.includes(input)));
    const joined: KeyedPart = {
      id: shared[0]?.id ?? node.uid,
      keyBys: together(...shared.map((part) => part.keyBys), own),
      broadcasts: together(...shared.map((part) => part.broadcasts), inputsOf(node, 'broadcast')),
      operators: [...shared.flatMap((part) => part.operators), node],
    };
    parts = [...parts.filter((part) => !shared.includes(part)), joined];
  }
  parts = parts.map((part) => ({ ...part, keyBys: inOrderOfAll(job, part) }));
  return (exchange) => {
    const part = parts.find(({ keyBys, broadcasts }) => keyBys.includes(exchange.id) || broadcasts.includes(exchange.id));
    if (part !== undefined) return part;
    throw new JobDefinitionError(
      `job ${job.name}: ${nodeLabel(job, exchange)} has no keyed operator behind it; add process, reduce or sum, or take the ${exchange.kind} out`,
    );
  };
}

/** The keyBys of a stage, in an order that is that of each operator: of an epoch the values of one stream come before those of the next. */
function inOrderOfAll(job: JobDefinition, { id, keyBys, operators }: KeyedPart): number[] {
  // In order of time rows have an order of their own, whatever that is in which they come.
  const wanted = operators.filter((node) => node.kind === 'process' && !node.inTimeOrder).map(({ inputs }) => inputs);
  const ordered: number[] = [];
  const mayBeNext = (keyBy: number) =>
    wanted.every((own) => own.slice(0, Math.max(own.indexOf(keyBy), 0)).every((before) => ordered.includes(before)));
  for (let left = keyBys; left.length > 0; left = left.filter((keyBy) => !ordered.includes(keyBy))) {
    const next = left.find(mayBeNext);
    if (next !== undefined) ordered.push(next);
    else
      throw new JobDefinitionError(
        `job ${job.name}: stage ${id}: its operators (${operators.map(({ uid }) => uid).join(', ')}) read the same streams in different orders, and it reads all of one before the next: ` +
          'name them in one order everywhere, or give an operator keyBys of its own',
      );
  }
  return ordered;
}

/** Behind a keyBy, and behind what is broadcast, stand keyed operators, and they nowhere else. */
function checkInputs(job: JobDefinition, node: ConsumerNode): void {
  const isKeyed = isAt(node, 'keyed');
  for (const input of node.inputs) {
    const before = job.nodes[input] as JobNode;
    if (isAt(node, 'side')) {
      if (isAt(before, 'keyed')) continue;
      throw new JobDefinitionError(`job ${job.name}: ${nodeLabel(job, node)} is no side output of a keyed operator`);
    }
    if ((isAt(before, 'exchange') || isAt(before, 'broadcast')) === isKeyed) continue;
    const reads = `${nodeLabel(job, node)} reads ${nodeLabel(job, before)}`;
    const why = isKeyed
      ? `and ${node.kind} needs a keyBy before it`
      : `and behind a ${before.kind} there is nothing but keyed operators, no ${node.kind}`;
    throw new JobDefinitionError(`job ${job.name}: ${reads}, ${why}`);
  }
}

/** What is broadcast carries the origins of its rows, and so do the edges that lead there, or to an operator which works in order of time. */
function withOrigins(job: JobDefinition, stages: readonly Stage[], edges: readonly Edge[]): Edge[] {
  const inOrder = job.nodes.filter((node) => node.kind === 'process' && node.inTimeOrder).map((node) => nodeLabel(job, node));
  const needing = new Set<string>();
  for (const stage of stages.toReversed()) {
    const leadsThere = edges.some(({ from, to, how }) => from === stage.id && (how === 'broadcast' || (how === 'key' && needing.has(to))));
    if (stage.kind === 'operator' && (leadsThere || stage.operators.some((uid) => inOrder.includes(uid)))) needing.add(stage.id);
  }
  const carrying = edges.filter(({ how, to }) => how === 'broadcast' || (how === 'key' && needing.has(to)));
  const sourcesOf = ({ from }: Edge) => sourcesTo({ stages, edges }, from);
  return edges.map((edge) => {
    if (!carrying.includes(edge)) return edge;
    const ways = carrying.filter(({ to }) => to === edge.to);
    const own = sourcesOf(edge);
    const isOneOf = ways.some((other) => other !== edge && sourcesOf(other).some((source) => own.includes(source)));
    return { ...edge, withOrigins: true, ...(isOneOf && { way: ways.indexOf(edge) }) };
  });
}

/** What works by event time has sources that have it. */
function checkEventTime(job: JobDefinition, plan: PhysicalPlan): void {
  for (const node of job.nodes) {
    if (!isAt(node, 'keyed') || timeOf(node) !== 'event') continue;
    const stage = plan.stages.find((each) => each.kind === 'operator' && each.operators.includes(node.uid));
    const timeless = stage === undefined ? undefined : sourcesTo(plan, stage.id).find(({ eventTime }) => eventTime === undefined);
    if (timeless === undefined) continue;
    throw new JobDefinitionError(
      `job ${job.name}: ${node.uid} works by event time, and source ${timeless.id} before it has none: give it one (kafkaSource({ …, eventTime: { maxOutOfOrdernessMs: 1_000 } }))${withoutEventTime(node)}`,
    );
  }
}

/** What else mends it. In order of time there is nothing. */
function withoutEventTime(node: NodeAt<'keyed'>): string {
  if (node.kind === 'window') return "; or cut it by processing time (time: 'processing-time')";
  return node.inTimeOrder ? '' : "; or, if all its timers are of processing time, say so (timers: 'processing-time')";
}

/** A key has one state, from wherever it comes, and that is found by the key's bytes. */
function checkKeySerde(job: JobDefinition, stage: string, keyBys: readonly number[]): void {
  const [first, ...others] = keyBys.flatMap((id) => {
    const node = job.nodes[id];
    return node !== undefined && isAt(node, 'exchange') ? [node.key.name] : [];
  });
  const other = others.find((name) => name !== first);
  if (other === undefined) return;
  throw new JobDefinitionError(
    `job ${job.name}: stage ${stage} is reached by keys of serde ${first} and of serde ${other}; the keys of one stage have one serde: give each keyBy before it the same one`,
  );
}
