import type { StartingOffsets } from '../../lib/config/starting-offsets.ts';
import type { JobDefinition, JobNode } from '../../lib/graph/job.ts';
import type { SinkSpec } from '../../lib/sinks/kinds.ts';
import type { Rewritten } from './jobs/plain-joins.ts';
import { faultless, type UserCode } from './user-code.ts';

/**
 * Two builds of one job: each is right by itself, and an epoch that both worked on is wrong. They also name transactions
 * by different rules (`models/other-names.ts`).
 */
export type Build = 'a' | 'b';

/**
 * A job as its author wrote it; what it must make of its input, the checker finds out by interpreting it. Its functions are
 * deterministic. No sink is given the same record twice: of output that is delivered at least once it is seen by the record
 * what was sent again.
 */
export interface SimJob {
  readonly name: string;
  define(build: Build, startingOffsets: StartingOffsets, code?: UserCode): JobDefinition;
  /** By uid, operators of the engine's own, written anew: the interpreter runs that in their place, and output and state must be what it makes. */
  readonly rewritten?: Readonly<Record<string, Rewritten>>;
  /**
   * The same job with plain functions in place of the engine's own operators, which share no code with it: what this gives its sinks is what
   * the job must; its state is its own, and not compared. Sources, sinks and keyed operators have the uids that they have there. Undefined: it
   * has none that are more than the author's functions.
   */
  readonly plain?: SimJob['define'];
  /** Build b has sources, state and sinks that build a has not, so that there is no way back to a. */
  readonly grows?: true;
}

/** Kinds of sinks that write elsewhere than to topics. */
export type ElsewhereKind = Exclude<SinkSpec['kind'], 'kafka'>;

/** What a job consists of when nothing fails in it: build b, which has all that build a has. */
export interface JobShape {
  /** As the interpreter runs it. */
  readonly definition: JobDefinition;
  /** With plain functions. */
  readonly plain: JobDefinition | undefined;
  /** By uid, the topic. */
  readonly sources: ReadonlyMap<string, string>;
  /** Of sinks that write to Kafka: by uid, the topics. */
  readonly sinks: ReadonlyMap<string, readonly string[]>;
  /** Of all others: by uid, the kind. */
  readonly others: ReadonlyMap<string, ElsewhereKind>;
  /** Uids of the keyed operators. */
  readonly operators: readonly string[];
  /** By uid that a source or an operator has in build a, that of build b, where it is another one. */
  readonly formerly: ReadonlyMap<string, string>;
  /** By the name of a stage in build a, that of build b, where another operator comes before its first there. */
  readonly stagesBefore: ReadonlyMap<string, string>;
  /** Whether a sink has no keyed operator before it: it writes as much as the lines are long. */
  readonly writesLines: boolean;
}

/** What keeps state by key. */
export type KeyedNode = Extract<JobNode, { readonly states: unknown }>;

export function isKeyed(node: JobNode): node is KeyedNode {
  return 'states' in node;
}

const shapes = new WeakMap<SimJob, JobShape>();

export function shapeOf(job: SimJob): JobShape {
  const known = shapes.get(job);
  if (known !== undefined) return known;
  const definition = withRewritten(job);
  const { nodes } = definition;
  const isBehindKey = (id: number): boolean => {
    const node = nodes[id];
    return node !== undefined && node.kind !== 'source' && (node.kind === 'keyBy' || node.inputs.every(isBehindKey));
  };
  const shape: JobShape = {
    definition,
    plain: job.plain?.('b', 'earliest', faultless),
    sources: new Map(nodes.flatMap((node) => (node.kind === 'source' ? [[node.uid, node.topic] as const] : []))),
    sinks: new Map(
      nodes.flatMap((node) =>
        node.kind === 'sink' && node.to.kind === 'kafka' ? [[node.uid, node.to.topics.map(({ topic }) => topic)] as const] : [],
      ),
    ),
    others: new Map(nodes.flatMap((node) => (node.kind === 'sink' && node.to.kind !== 'kafka' ? [[node.uid, node.to.kind] as const] : []))),
    operators: nodes.filter(isKeyed).map(({ uid }) => uid),
    formerly: new Map(
      nodes.flatMap((node) =>
        'formerly' in node && node.formerly !== undefined ? node.formerly.map((name): [string, string] => [name, node.uid]) : [],
      ),
    ),
    stagesBefore: stagesBefore(job.define('a', 'earliest', faultless), definition),
    writesLines: nodes.some((node) => node.kind === 'sink' && !isBehindKey(node.id)),
  };
  shapes.set(job, shape);
  return shape;
}

function stagesBefore(before: JobDefinition, after: JobDefinition): ReadonlyMap<string, string> {
  const left = new Set(after.nodes.filter(isKeyed).map(({ uid }) => uid));
  const stages = before.nodes
    .filter(isKeyed)
    .flatMap(({ uid }) => (left.has(uid) ? [[stageOf(before, uid), stageOf(after, uid)] as const] : []));
  return new Map(stages.filter(([was, is]) => was !== is));
}

/** The first operator behind the same keyBy names the stage. */
export function stageOf(job: JobDefinition, uid: string): string {
  const operators = job.nodes.filter(isKeyed);
  const inputs = operators.find((node) => node.uid === uid)?.inputs ?? [];
  return operators.find((other) => other.inputs.some((input) => inputs.includes(input)))?.uid ?? uid;
}

function withRewritten({ define, rewritten = {} }: SimJob): JobDefinition {
  const definition = define('b', 'earliest', faultless);
  const nodes = definition.nodes.map((node) => (node.kind === 'process' ? { ...node, ...rewritten[node.uid] } : node));
  return { ...definition, nodes };
}

export const INPUT = 'input';
export const LATER_INPUT = 'later-input';
export const JOB = 'job';
/** The sink of what is left out, and its topic. */
export const DEAD_LETTERS = 'dead-letters';
export const DEAD_LETTER_TOPIC = 'dead';
