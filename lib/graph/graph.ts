import type { GraphNode } from './graph-node.ts';
import type { JobDefinition } from './job.ts';
import { describeNode } from './kinds.ts';

/** A job's graph without its functions: for people, tools and the fingerprint. Plain JSON values only. */
export interface JobGraph {
  readonly job: string;
  readonly nodes: readonly GraphNode[];
  /** From a node to one that reads its values. */
  readonly edges: readonly { readonly from: number; readonly to: number }[];
}

export function describeGraph(job: JobDefinition): JobGraph {
  return {
    job: job.name,
    nodes: job.nodes.map((node) => describeNode(node, job)),
    edges: job.nodes.flatMap((node) => (node.kind === 'source' ? [] : node.inputs.map((from) => ({ from, to: node.id })))),
  };
}
