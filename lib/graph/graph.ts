import type { StoredState } from '../state/stored-state.ts';
import type { JobDefinition } from './job.ts';
import { describeNode } from './kinds.ts';

/** A job's graph without its functions: for people, tools and the fingerprint. Plain JSON values only. */
export interface JobGraph {
  readonly job: string;
  readonly nodes: readonly GraphNode[];
  /** From a node to one that reads its values. */
  readonly edges: readonly { readonly from: number; readonly to: number }[];
}

export type GraphNode =
  | {
      readonly id: number;
      readonly kind: 'source';
      readonly uid: string;
      readonly topic: string;
      readonly startingOffsets: string;
      readonly key: string | undefined;
      readonly value: string;
    }
  | { readonly id: number; readonly kind: 'map' | 'filter' | 'flatMap' }
  | { readonly id: number; readonly kind: 'keyBy'; readonly key: string; readonly value: string }
  | { readonly id: number; readonly kind: 'process'; readonly uid: string; readonly key: string; readonly states: readonly StoredState[] }
  | {
      readonly id: number;
      readonly kind: 'sink';
      readonly uid: string;
      readonly topic: string;
      readonly delivery: string;
      readonly key: string | undefined;
      readonly value: string;
    };

export function describeGraph(job: JobDefinition): JobGraph {
  return {
    job: job.name,
    nodes: job.nodes.map((node) => describeNode(node, job)),
    edges: job.nodes.flatMap((node) => (node.kind === 'source' ? [] : node.inputs.map((from) => ({ from, to: node.id })))),
  };
}
