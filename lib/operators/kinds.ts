import type { ConsumerNode } from '../graph/job.ts';
import type { NodeAt } from '../graph/kinds.ts';
import type { ChainKind, KeyedKind, OperatorKinds } from './kind.ts';
import { broadcast } from './kinds/broadcast.ts';
import { filter } from './kinds/filter.ts';
import { flatMap } from './kinds/flat-map.ts';
import { keyBy } from './kinds/key-by.ts';
import { map } from './kinds/map.ts';
import { mapAsync } from './kinds/map-async.ts';
import { process } from './kinds/process.ts';
import { sideOutput } from './kinds/side-output.ts';
import { sink } from './kinds/sink.ts';
import { source } from './kinds/source.ts';
import { stamp } from './kinds/stamp.ts';
import { union } from './kinds/union.ts';
import { window } from './kinds/window/window.ts';

/** What runs the nodes of each kind. */
export const operatorKinds: OperatorKinds = {
  source,
  map,
  filter,
  flatMap,
  mapAsync,
  union,
  stamp,
  keyBy,
  broadcast,
  process,
  window,
  sideOutput,
  sink,
};

export function chainKind(node: Exclude<ConsumerNode, NodeAt<'keyed'>>): ChainKind<ConsumerNode> {
  return operatorKinds[node.kind] as ChainKind<ConsumerNode>;
}

export function keyedKind(node: NodeAt<'keyed'>): KeyedKind<NodeAt<'keyed'>> {
  return operatorKinds[node.kind] as KeyedKind<NodeAt<'keyed'>>;
}
