import { ofName } from '../config/by-name.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { murmur2 } from '../format/murmur2.ts';
import { broadcastStateName, JobDefinitionError, type ProcessNode } from '../graph/job.ts';
import { isAt, type NodeAt } from '../graph/kinds.ts';
import { keyGroupOf } from '../protocol/key-groups.ts';
import type { Position } from '../protocol/manifest.ts';
import { readSnapshotBlobs } from '../stages/snapshot-blobs.ts';
import { BroadcastState } from '../state/broadcast-state.ts';
import { RecordScope } from '../state/record-scope.ts';
import { StateSet } from '../state/state-set.ts';
import { createBlobs } from '../storage/blobs.ts';
import type { Surroundings } from './run.ts';

/** What an operator's states hold of a key after an epoch, by name, read from its snapshots; without what has expired by now. */
export async function readState(
  { compiled: { job }, blobStore, random, clock, maxParallelism }: Surroundings,
  { state }: Position,
  operator: string,
  key: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const node = job.nodes.find((each): each is NodeAt<'keyed'> => isAt(each, 'keyed') && each.uid === operator);
  if (node === undefined) throw new JobDefinitionError(`job ${job.name} has no keyed operator ${operator}`);
  const keyBy = job.nodes[node.inputs[0] ?? -1];
  if (keyBy?.kind !== 'keyBy') throw new Error(`${operator} is behind no keyBy`);
  const bytes = new ByteWriter();
  keyBy.key.write(key === 0 ? 0 : key, bytes);
  const id = Buffer.from(bytes.view());
  const hash = murmur2(id, 0, id.length);
  const group = keyGroupOf(hash, maxParallelism);
  // As one subtask of all key groups; of the snapshots only those are loaded that have the key's.
  const keyGroups = { first: 0, last: maxParallelism - 1 };
  const now = { processingMs: clock.now() };
  const states = new StateSet({ uid: operator, states: node.states, maxParallelism, keyGroups, clock: now });
  const deps = readingDeps({ blobStore, random, clock });
  for (const ref of ofName(state, operator) ?? [])
    if (ref.keyGroups.first <= group && group <= ref.keyGroups.last) states.load(await readSnapshotBlobs(deps, ref, keyGroups));
  return states.read(id, hash);
}

/** What an operator keeps of what was broadcast to it, by name. */
export async function readBroadcastState(
  { compiled: { job }, blobStore, random, clock, maxParallelism }: Surroundings,
  { state }: Position,
  operator: string,
): Promise<Readonly<Record<string, unknown>>> {
  const node = job.nodes.find((each): each is ProcessNode => each.kind === 'process' && each.uid === operator);
  if (node?.broadcast === undefined)
    throw new JobDefinitionError(`job ${job.name} has no operator ${operator} that something is broadcast to`);
  const { states } = node.broadcast;
  const held = new BroadcastState({ uid: operator, states, maxParallelism, scope: new RecordScope() });
  const deps = readingDeps({ blobStore, random, clock });
  for (const ref of ofName(state, broadcastStateName(operator)) ?? []) held.load(await readSnapshotBlobs(deps, ref, held.keyGroups));
  return held.read();
}

function readingDeps({ blobStore, random, clock }: Pick<Surroundings, 'blobStore' | 'random' | 'clock'>) {
  return { blobs: createBlobs(blobStore, random), clock, random, inlineBlobBytes: 0 };
}
