import { type StoredState, storedStates } from '../state/stored-state.ts';
import type { JobDefinition, JobNode } from './job.ts';

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
    nodes: job.nodes.map((node) => describeNode(job, node)),
    edges: job.nodes.flatMap((node) => (node.kind === 'source' ? [] : [{ from: node.input, to: node.id }])),
  };
}

function describeNode(job: JobDefinition, node: JobNode): GraphNode {
  switch (node.kind) {
    case 'source': {
      const { id, kind, uid, topic, startingOffsets } = node;
      return { id, kind, uid, topic, startingOffsets, key: node.key?.name, value: node.value.name };
    }
    case 'keyBy':
      return { id: node.id, kind: node.kind, key: node.key.name, value: node.value.name };
    case 'process': {
      const keyBy = job.nodes[node.input];
      const key = keyBy?.kind === 'keyBy' ? keyBy.key.name : '';
      return {
        id: node.id,
        kind: node.kind,
        uid: node.uid,
        key,
        states: storedStates(node.states),
      };
    }
    case 'sink': {
      const { id, kind, uid, topic, delivery } = node;
      return { id, kind, uid, topic, delivery, key: node.key?.name, value: node.value.name };
    }
    default:
      return { id: node.id, kind: node.kind };
  }
}
