import { inCluster } from '../config/clusters.ts';
import { describeSink } from '../sinks/kinds.ts';
import type { TimeDomain } from '../state/columns/timers.ts';
import { storedStates } from '../state/stored-state.ts';
import type { GraphNode } from './graph-node.ts';
import type { JobDefinition, JobNode } from './job.ts';

/** What the cutting into stages and the description of a graph know of a kind of node. What it does is in lib/operators/kinds. */
export interface NodeKind<N extends JobNode> {
  /**
   * Where it stands. `source`: a stage begins with it. `chain`: it runs in the stages that its inputs come from. `exchange`: it
   * is the edges to the stage of the keyed operators behind it. `broadcast`: it is edges to that stage too, to each of its subtasks.
   * `keyed`: it begins what that stage does. `sink`: it is the edges to a stage of its own. `side`: it begins a chain of what its
   * operator gives aside.
   */
  readonly place: 'source' | 'chain' | 'exchange' | 'broadcast' | 'keyed' | 'side' | 'sink';
  describe(node: N, job: JobDefinition): GraphNode;
  /** By which time it works; `event`: so each source before it needs event time. Undefined: by none. @default none does */
  time?(node: N): TimeDomain | undefined;
}

type NodeKinds = { readonly [K in JobNode['kind']]: NodeKind<Extract<JobNode, { kind: K }>> };

const inChain = {
  place: 'chain',
  describe: <K extends 'map' | 'filter' | 'flatMap' | 'union' | 'stamp'>({ id, kind }: { readonly id: number; readonly kind: K }) => ({
    id,
    kind,
  }),
} as const;

function named<N extends { readonly uid: string; readonly formerly?: readonly string[] }>({ uid, formerly }: N) {
  return formerly === undefined ? { uid } : { uid, formerly };
}

function keyOf([first]: readonly number[], { nodes }: JobDefinition): string {
  const keyBy = nodes[first ?? -1];
  return keyBy?.kind === 'keyBy' ? keyBy.key.name : '';
}

export const nodeKinds = {
  source: {
    place: 'source',
    describe: (node) => {
      const { id, kind, cluster, topic, startingOffsets, key, value } = node;
      return { id, kind, ...named(node), topic: inCluster(cluster, topic), startingOffsets, key: key?.name, value: value.name };
    },
  },
  map: inChain,
  filter: inChain,
  flatMap: inChain,
  mapAsync: {
    place: 'chain',
    describe: ({ id, kind, capacity, timeoutMs }) => ({ id, kind, capacity, timeoutMs }),
  },
  union: inChain,
  stamp: inChain,
  keyBy: {
    place: 'exchange',
    describe: ({ id, kind, key, value }) => ({ id, kind, key: key.name, value: value.name }),
  },
  broadcast: {
    place: 'broadcast',
    describe: ({ id, kind, value }) => ({ id, kind, value: value.name }),
  },
  process: {
    place: 'keyed',
    describe: (node, job) => {
      const { id, kind, inputs, states, broadcast } = node;
      const ofBroadcast = broadcast !== undefined && { broadcastStates: storedStates(broadcast.states) };
      return { id, kind, ...named(node), key: keyOf(inputs, job), states: storedStates(states), ...ofBroadcast };
    },
    time: ({ time }) => time,
  },
  window: {
    place: 'keyed',
    describe: (node, job) => {
      const { id, kind, inputs, shape: windows, time, allowedLatenessMs, earlyEveryMs } = node;
      const states = storedStates(node.states);
      return { id, kind, ...named(node), key: keyOf(inputs, job), windows, time, allowedLatenessMs, earlyEveryMs, states };
    },
    time: ({ time }) => time,
  },
  sideOutput: {
    place: 'side',
    describe: ({ id, kind, tag }) => ({ id, kind, tag }),
  },
  sink: {
    place: 'sink',
    describe: ({ id, kind, uid, to }) => ({ id, kind, uid, ...(describeSink(to) as object) }),
  },
} as const satisfies NodeKinds;

/** By place, the nodes of the kinds that stand there. */
export type NodeAt<Place extends NodeKind<JobNode>['place']> = Extract<
  JobNode,
  { kind: { [K in keyof typeof nodeKinds]: (typeof nodeKinds)[K]['place'] extends Place ? K : never }[keyof typeof nodeKinds] }
>;

export function isAt<Place extends NodeKind<JobNode>['place']>(node: JobNode, place: Place): node is NodeAt<Place> {
  return nodeKinds[node.kind].place === place;
}

export function timeOf(node: JobNode): TimeDomain | undefined {
  return (nodeKinds[node.kind] as NodeKind<JobNode>).time?.(node);
}

export function describeNode(node: JobNode, job: JobDefinition): GraphNode {
  return (nodeKinds[node.kind] as NodeKind<JobNode>).describe(node, job);
}
