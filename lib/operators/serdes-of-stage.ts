import type { Serde } from '../format/serde.ts';
import { consumersOf, type JobDefinition, type JobNode } from '../graph/job.ts';
import { isAt, type NodeAt } from '../graph/kinds.ts';
import { edgesTo } from '../plan/plan.ts';
import { serdesOfSink } from '../sinks/kinds.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import type { CompiledJob } from './compiled-job.ts';

/** The serdes that a stage's runtime works with, each once: of what it reads, of its states, and of what it writes. */
export function serdesOfStage({ job, plan }: CompiledJob, stageId: string): readonly Serde<unknown>[] {
  const inputs = edgesTo(plan, stageId).flatMap(({ node }) => (node === undefined ? [] : [node]));
  const heads = job.nodes.filter((node) =>
    isAt(node, 'keyed') ? node.inputs.some((input) => inputs.includes(input)) : isAt(node, 'source') && node.uid === stageId,
  );
  const read = inputs.flatMap((id) => serdesOf(job.nodes[id] as JobNode));
  const found = [...read, ...heads.flatMap((head) => [...serdesOf(head), ...serdesBehind(job, head)])];
  return [...new Set(found.filter((serde) => serde !== undefined))];
}

/** Up to the edges out of the stage. */
function serdesBehind(job: JobDefinition, { id }: JobNode): (Serde<unknown> | undefined)[] {
  const next = consumersOf(job, id).filter((node) => !isAt(node, 'keyed'));
  return next.flatMap((node) => [...serdesOf(node), ...(isEdge(node) ? [] : serdesBehind(job, node))]);
}

function isEdge(node: JobNode): boolean {
  return isAt(node, 'exchange') || isAt(node, 'broadcast');
}

function statesOf(node: NodeAt<'keyed'>): readonly StateDeclaration[] {
  return node.kind === 'process' ? [...node.states, ...(node.broadcast?.states ?? [])] : node.states;
}

function serdesOf(node: JobNode): (Serde<unknown> | undefined)[] {
  if (isAt(node, 'source') || isAt(node, 'exchange')) return [node.key, node.value];
  if (isAt(node, 'broadcast')) return [node.value];
  if (isAt(node, 'keyed')) return statesOf(node).flatMap(({ serdes }) => [...serdes]);
  return isAt(node, 'sink') ? Object.values(serdesOfSink(node.to)) : [];
}
