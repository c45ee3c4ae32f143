import type { StartingOffsets } from '../config/starting-offsets.ts';
import { consumersOf, type JobDefinition, JobDefinitionError, type KeyByNode, nodeLabel, type ProcessNode } from './job.ts';

/** How a job's graph is cut into stages: chains between exchanges. Serialisable. */
export interface StagePlan {
  readonly job: string;
  /** Every stage comes after its inputs. */
  readonly stages: readonly Stage[];
}

export type Stage = SourceStage | OperatorStage | SinkStage;

interface StageBase {
  /** The source's uid, the uid of the first keyed operator behind the keyBy, or the sink's uid. */
  readonly id: string;
  /** Ids of the stages whose output this one reads. */
  readonly inputs: readonly string[];
  /** Uids of its keyed operators. */
  readonly operators: readonly string[];
  /** Ids of the operator stages that its exchanges lead to. */
  readonly exchanges: readonly string[];
  /** Uids of the sinks (each a stage) that its staged output leads to. */
  readonly sinks: readonly string[];
}

export interface SourceStage extends StageBase {
  readonly kind: 'source';
  readonly topic: string;
  readonly startingOffsets: StartingOffsets;
}

export interface OperatorStage extends StageBase {
  readonly kind: 'operator';
}

export interface SinkStage extends StageBase {
  readonly kind: 'sink';
  readonly topic: string;
}

/** The sink of records that are left out. It is no node of the graph: a job may have it in one run and not in the next. */
export const DEAD_LETTERS = 'dead-letters';

/**
 * Cuts the job into stages. With `deadLetterTopic` one more is the sink of records that are left out, behind every source.
 * Throws `JobDefinitionError` when a keyBy has no keyed operator behind it, and when the job itself uses that topic.
 */
export function planStages(job: JobDefinition, deadLetterTopic?: string): StagePlan {
  const stages = new Map<string, Stage & { inputs: string[]; operators: string[]; exchanges: string[]; sinks: string[] }>();
  const lists = () => ({ inputs: [] as string[], operators: [] as string[], exchanges: [] as string[], sinks: [] as string[] });
  const stageOf: string[] = [];
  for (const node of job.nodes) {
    if (node.kind === 'source') {
      stages.set(node.uid, { kind: 'source', id: node.uid, topic: node.topic, startingOffsets: node.startingOffsets, ...lists() });
      stageOf[node.id] = node.uid;
      continue;
    }
    const upstream = stages.get(stageOf[node.input] ?? '');
    if (upstream === undefined) throw new JobDefinitionError(`job ${job.name}: ${nodeLabel(job, node)} has no input`);
    if (node.kind === 'keyBy') {
      const id = exchangeTarget(job, node);
      stages.set(id, { kind: 'operator', id, ...lists(), inputs: [upstream.id] });
      upstream.exchanges.push(id);
      stageOf[node.id] = id;
    } else if (node.kind === 'sink') {
      stages.set(node.uid, { kind: 'sink', id: node.uid, topic: node.topic, ...lists(), inputs: [upstream.id] });
      upstream.sinks.push(node.uid);
    } else {
      stageOf[node.id] = upstream.id;
      if (node.kind === 'process') upstream.operators.push(node.uid);
    }
  }
  if (deadLetterTopic !== undefined) {
    checkDeadLetters(job, deadLetterTopic);
    const sources = [...stages.values()].filter(({ kind }) => kind === 'source');
    for (const source of sources) source.sinks.push(DEAD_LETTERS);
    stages.set(DEAD_LETTERS, { kind: 'sink', id: DEAD_LETTERS, topic: deadLetterTopic, ...lists(), inputs: sources.map(({ id }) => id) });
  }
  return { job: job.name, stages: [...stages.values()] };
}

function checkDeadLetters(job: JobDefinition, topic: string): void {
  for (const node of job.nodes) {
    if ('uid' in node && node.uid === DEAD_LETTERS)
      throw new JobDefinitionError(
        `job ${job.name}: the uid ${DEAD_LETTERS} is that of the sink of ONCEFLOW_DEAD_LETTER_TOPIC; give yours another`,
      );
    if ((node.kind === 'source' || node.kind === 'sink') && node.topic === topic)
      throw new JobDefinitionError(
        `ONCEFLOW_DEAD_LETTER_TOPIC=${topic} is the topic of ${node.kind} ${node.uid} of job ${job.name}: records that are left out need a topic of their own`,
      );
  }
}

/** The stage of that id. Throws `JobDefinitionError` when the plan has none. */
export function stageOf(plan: StagePlan, id: string): Stage {
  const stage = plan.stages.find((candidate) => candidate.id === id);
  if (stage !== undefined) return stage;
  const known = plan.stages.map((candidate) => candidate.id).join(', ');
  throw new JobDefinitionError(`job ${plan.job} has no stage ${id}; its stages are ${known}`);
}

/** The keyed operators behind a keyBy: they share one exchange and one stage. */
export function keyedOperators(job: JobDefinition, keyBy: KeyByNode): readonly ProcessNode[] {
  return consumersOf(job, keyBy.id).filter((node) => node.kind === 'process');
}

/** Id of the operator stage behind a keyBy. */
export function exchangeTarget(job: JobDefinition, keyBy: KeyByNode): string {
  const first = keyedOperators(job, keyBy)[0];
  if (first !== undefined) return first.uid;
  throw new JobDefinitionError(
    `job ${job.name}: ${nodeLabel(job, keyBy)} has no keyed operator behind it; add process, reduce or sum, or take the keyBy out`,
  );
}

/** The keyBy that leads to the operator stage of that id. */
export function keyByOf(job: JobDefinition, stageId: string): KeyByNode {
  for (const node of job.nodes) if (node.kind === 'keyBy' && exchangeTarget(job, node) === stageId) return node;
  throw new JobDefinitionError(`job ${job.name} has no operator stage ${stageId}`);
}
