import type { StartingOffsets } from '../config/starting-offsets.ts';
import { JobDefinitionError } from '../graph/job.ts';
import type { SinkTarget } from '../sinks/kinds.ts';

/**
 * How a job runs: its graph cut into stages, and the edges on which data goes from one to another. Compiled once in each
 * process, and the same for all processes of a build. Serialisable.
 */
export interface PhysicalPlan {
  readonly job: string;
  /** Every stage comes after those that lead to it. */
  readonly stages: readonly Stage[];
  /** A stage reads its edges in this order. */
  readonly edges: readonly Edge[];
}

export type Stage = SourceStage | OperatorStage | SinkStage;

interface StageBase {
  /** The source's uid, the uid of the first keyed operator behind the keyBy, or the sink's uid. */
  readonly id: string;
  /** Subtasks, if the configuration does not name the stage. @default ONCEFLOW_PARALLELISM */
  readonly subtasks?: number;
  /** So long it waits for an answer to a value, in milliseconds, where that is longest. @default it waits for none */
  readonly longestCallMs?: number;
}

export interface SourceStage extends StageBase {
  readonly kind: 'source';
  /** As lib/config/clusters.ts calls it. */
  readonly topic: string;
  readonly startingOffsets: StartingOffsets;
  /** Undefined: its records have no event time. */
  readonly eventTime?: {
    /** Undefined: a partition is never idle. */
    readonly idleAfterMs?: number | undefined;
    /** Undefined: no partition waits for others. */
    readonly alignWithinMs?: number | undefined;
  };
}

export interface OperatorStage extends StageBase {
  readonly kind: 'operator';
  /** Uids of its keyed operators. */
  readonly operators: readonly string[];
  /** Names of the states that its subtasks hold alike, what was broadcast being the same for all: the first one keeps them. @default none */
  readonly broadcastStates?: readonly string[];
  /** Do its operators work by event time or processing time? @default false */
  readonly usesTime?: boolean;
}

export interface SinkStage extends StageBase {
  readonly kind: 'sink';
  /** Where it writes to. */
  readonly to: SinkTarget;
}

/** Where the output of one stage is the input of another. */
export interface Edge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Which input of the target it is, or is part of: 0 for the first. */
  readonly input: number;
  /** `key`: to the subtask that owns the key's group. `broadcast`: to every subtask. `sink`: staged output. */
  readonly how: 'key' | 'broadcast' | 'sink';
  /** Which side output of the stage; undefined: the main one. */
  readonly tag?: string;
  /** Do its rows say where they come from? It leads to what works in order of time. @default false */
  readonly withOrigins?: boolean;
  /** Rows of one record may come to its target by other edges too: which of them this one is, is part of the origins of its rows. */
  readonly way?: number;
  /** The node of the graph that it is, a keyBy, a broadcast or a sink; undefined: it is no part of the graph. */
  readonly node?: number;
}

export function edgeBetween(edge: Omit<Edge, 'id'>): Edge {
  const { from, to, input, tag } = edge;
  return { id: `${tag === undefined ? from : `${from}#${tag}`}>${to}.${input}`, ...edge };
}

/** Names of all states of a stage: of its operators by key, and of what they were broadcast. */
export function stateNames({ operators, broadcastStates = [] }: OperatorStage): readonly string[] {
  return [...operators, ...broadcastStates];
}

/** The edges that lead out of a stage. */
export function edgesFrom({ edges }: Pick<PhysicalPlan, 'edges'>, stage: string): readonly Edge[] {
  return edges.filter(({ from }) => from === stage);
}

/** The edges that lead to a stage. */
export function edgesTo({ edges }: Pick<PhysicalPlan, 'edges'>, stage: string): readonly Edge[] {
  return edges.filter(({ to }) => to === stage);
}

/** The stage of that id. Throws `JobDefinitionError` when the plan has none. */
export function stageOf(plan: PhysicalPlan, id: string): Stage {
  const stage = plan.stages.find((candidate) => candidate.id === id);
  if (stage !== undefined) return stage;
  const known = plan.stages.map((candidate) => candidate.id).join(', ');
  throw new JobDefinitionError(`job ${plan.job} has no stage ${id}; its stages are ${known}`);
}
