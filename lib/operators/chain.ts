import { type ConsumerNode, consumersOf, type JobDefinition, nodeLabel } from '../graph/job.ts';
import { isAt } from '../graph/kinds.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import type { Push } from '../records/push.ts';
import type { AsyncCalls } from './async-calls.ts';
import { copyOf } from './copy.ts';
import type { EdgeWriters } from './edge-writers.ts';
import { chainKind } from './kinds.ts';

/** What the chains of a stage are made of. */
export interface ChainParts {
  readonly job: JobDefinition;
  readonly edges: EdgeWriters;
  readonly current: CurrentRecord;
  readonly calls: AsyncCalls;
}

/**
 * The operators behind node `id`, up to the edges out of the stage, as one function. A user's function may change its value in
 * place: each branch that has one behind it, but for the last, gets a copy. `kept`: the last as well, since something before
 * the chain, a state, may keep the value.
 */
export function compileChain(parts: ChainParts, id: number, kept: 'kept' | 'passed' = 'passed'): Push {
  const { job } = parts;
  const branches = consumersOf(job, id)
    .filter((node) => !isAt(node, 'side'))
    .map((node) => branchTo(parts, node));
  return joined(branches, kept);
}

/** What an operator gives aside under a tag. @param kept as that of `compileChain` */
export function compileSide(parts: ChainParts, id: number, tag: string, kept: 'kept' | 'passed'): Push {
  return joined(
    sidesOf(parts.job, id, tag).map((node) => branchTo(parts, node)),
    kept,
  );
}

/** Does anybody read what an operator gives aside under a tag? */
export function isSideRead(job: JobDefinition, id: number, tag: string): boolean {
  return sidesOf(job, id, tag).some((node) => consumersOf(job, node.id).length > 0);
}

function sidesOf(job: JobDefinition, id: number, tag: string): readonly ConsumerNode[] {
  return consumersOf(job, id).filter((node) => node.kind === 'sideOutput' && node.tag === tag);
}

interface Branch {
  readonly push: Push;
  readonly givesToUser: boolean;
}

function branchTo(parts: ChainParts, node: ConsumerNode): Branch {
  const { job, edges, current, calls } = parts;
  const label = nodeLabel(job, node);
  // The plan has none: what reads an exchange begins a stage of its own.
  if (isAt(node, 'keyed')) throw new Error(`${label} stands in a chain, and ${node.kind} needs a keyBy before it`);
  const kind = chainKind(node);
  const push = kind.open(node, { label, current, edges, calls, next: () => compileChain(parts, node.id) });
  return { push, givesToUser: isGivenToUser(job, node) };
}

function isGivenToUser(job: JobDefinition, node: ConsumerNode): boolean {
  if (isAt(node, 'keyed')) return false;
  const gives = chainKind(node).givesToUser(node);
  return gives === 'behind' ? consumersOf(job, node.id).some((next) => isGivenToUser(job, next)) : gives;
}

function joined(branches: readonly Branch[], kept: 'kept' | 'passed'): Push {
  const last = branches.length - 1;
  const pushes = branches.map(({ push, givesToUser }, index) => (givesToUser && (kept === 'kept' || index < last) ? copying(push) : push));
  const [only] = pushes;
  if (only === undefined) return () => {};
  return pushes.length === 1 ? only : fanOut(pushes);
}

function copying(next: Push): Push {
  return (value) => next(typeof value === 'object' ? copyOf(value) : value);
}

function fanOut(pushes: readonly Push[]): Push {
  return (value) => {
    for (let index = 0; index < pushes.length; index++) (pushes[index] as Push)(value);
  };
}
