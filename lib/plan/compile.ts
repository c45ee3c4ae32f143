import { type ConsumerNode, type JobDefinition, JobDefinitionError, type JobNode, nodeLabel } from '../graph/job.ts';
import { isAt, type NodeAt, timeOf } from '../graph/kinds.ts';
import { targetOf } from '../sinks/connectors.ts';
import { withDeadLetters } from './dead-letters.ts';
import { type Edge, edgeBetween, type PhysicalPlan, type Stage } from './plan.ts';
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
  for (const node of job.nodes) {
    if (isAt(node, 'source')) {
      const { uid: id, topic, startingOffsets, eventTime } = node;
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
    if (isAt(node, 'side')) continue;
    if (isAt(node, 'exchange')) {
      const { id, keyBys, operators } = keyed(node);
      const input = keyBys.indexOf(node.id);
      checkKeySerde(job, id, keyBys);
      for (const from of upstream) edges.push(edgeBetween({ from, to: id, input, how: 'key', node: node.id }));
      // Behind all that leads to it.
      if (node.id === keyBys.at(-1)) {
        const timed = operators.some((operator) => timeOf(operator) !== undefined) && { usesTime: true };
        stages.push({ kind: 'operator', id, operators: operators.map(({ uid }) => uid), ...timed });
      }
      madeIn[node.id] = [id];
    } else if (isAt(node, 'sink')) {
      const { uid: id, to } = node;
      for (const from of upstream) edges.push(edgeBetween({ from, to: id, input: 0, how: 'sink', node: node.id }));
      stages.push({ kind: 'sink', id, to: targetOf(to) });
    }
  }
  const plan: PhysicalPlan = { job: job.name, stages, edges: withOrigins(job, stages, edges) };
  checkEventTime(job, plan);
  return deadLetterTopic === undefined ? plan : withDeadLetters(plan, job, deadLetterTopic);
}

/** Keyed operators that share an exchange, and all exchanges that they read: they are one stage. */
interface KeyedPart {
  readonly id: string;
  /** In their order the inputs of the stage. */
  keyBys: number[];
  operators: NodeAt<'keyed'>[];
}

function keyedParts(job: JobDefinition): (keyBy: NodeAt<'exchange'>) => KeyedPart {
  let parts: KeyedPart[] = [];
  for (const node of job.nodes) {
    if (!isAt(node, 'keyed')) continue;
    const shared = parts.filter(({ keyBys }) => node.inputs.some((input) => keyBys.includes(input)));
    const keyBys = [...new Set([...shared.flatMap((part) => part.keyBys), ...node.inputs])].sort((one, other) => one - other);
    const joined: KeyedPart = { id: shared[0]?.id ?? node.uid, keyBys, operators: [...shared.flatMap((part) => part.operators), node] };
    parts = [...parts.filter((part) => !shared.includes(part)), joined];
  }
  return (keyBy) => {
    const part = parts.find(({ keyBys }) => keyBys.includes(keyBy.id));
    if (part !== undefined) return part;
    throw new JobDefinitionError(
      `job ${job.name}: ${nodeLabel(job, keyBy)} has no keyed operator behind it; add process, reduce or sum, or take the keyBy out`,
    );
  };
}

/** Behind a keyBy stand keyed operators, and they nowhere else. */
function checkInputs(job: JobDefinition, node: ConsumerNode): void {
  const isKeyed = isAt(node, 'keyed');
  for (const input of node.inputs) {
    const before = job.nodes[input] as JobNode;
    if (isAt(node, 'side')) {
      if (isAt(before, 'keyed')) continue;
      throw new JobDefinitionError(`job ${job.name}: ${nodeLabel(job, node)} is no side output of a keyed operator`);
    }
    if (isAt(before, 'exchange') === isKeyed) continue;
    const reads = `${nodeLabel(job, node)} reads ${nodeLabel(job, before)}`;
    const why = isKeyed
      ? `and ${node.kind} needs a keyBy before it`
      : `and behind a keyBy there is nothing but keyed operators, no ${node.kind}`;
    throw new JobDefinitionError(`job ${job.name}: ${reads}, ${why}`);
  }
}

/** The edges that lead to an operator which works in order of time, also through others, carry the origins of their rows. */
function withOrigins(job: JobDefinition, stages: readonly Stage[], edges: readonly Edge[]): Edge[] {
  const inOrder = job.nodes.filter((node) => node.kind === 'process' && node.inTimeOrder).map((node) => nodeLabel(job, node));
  const needing = new Set<string>();
  for (const stage of stages.toReversed()) {
    const leadsThere = edges.some(({ from, to, how }) => from === stage.id && how !== 'sink' && needing.has(to));
    if (stage.kind === 'operator' && (leadsThere || stage.operators.some((uid) => inOrder.includes(uid)))) needing.add(stage.id);
  }
  return edges.map((edge) => (edge.how === 'key' && needing.has(edge.to) ? { ...edge, withOrigins: true } : edge));
}

/** What works by event time has sources that have it. */
function checkEventTime(job: JobDefinition, plan: PhysicalPlan): void {
  for (const node of job.nodes) {
    if (!isAt(node, 'keyed') || timeOf(node) !== 'event') continue;
    const stage = plan.stages.find((each) => each.kind === 'operator' && each.operators.includes(node.uid));
    const timeless = stage === undefined ? undefined : sourcesTo(plan, stage.id).find(({ eventTime }) => eventTime === undefined);
    if (timeless === undefined) continue;
    throw new JobDefinitionError(
      `job ${job.name}: ${node.uid} works by event time, and source ${timeless.id} before it has none: give it one (kafkaSource({ …, eventTime: { maxOutOfOrdernessMs: 1_000 } })); ` +
        "if it has timers of processing time alone, give it timers: 'processing-time' (of windows: time: 'processing-time')",
    );
  }
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
    `job ${job.name}: stage ${stage} is reached by keys of serde ${first} and of serde ${other}; the keys of one stage have one serde`,
  );
}
