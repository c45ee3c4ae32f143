import { murmur2 } from '../format/murmur2.ts';
import type { Serde } from '../format/serde.ts';
import { broadcastStateName, type JobDefinition } from '../graph/job.ts';
import { isAt } from '../graph/kinds.ts';
import { blobsOf, bytesOf, type KeyGroupRange, type SnapshotRef } from '../protocol/references.ts';
import { readSnapshotBlobs } from '../stages/snapshot-blobs.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import { readSnapshot } from '../state/snapshot/reader.ts';
import { StateSet } from '../state/state-set.ts';
import { storedStates } from '../state/stored-state.ts';
import type { Blobs } from '../storage/blobs.ts';

/** The states of a keyed operator, or what it keeps of what is broadcast to it: that is one key's, which has no bytes. */
export interface StateOwner {
  /** In manifests. */
  readonly name: string;
  readonly operator: string;
  readonly states: readonly StateDeclaration[];
  /** Undefined: of what is broadcast. */
  readonly key: Serde<unknown> | undefined;
}

/** All that a job keeps state of. */
export function stateOwners({ nodes }: JobDefinition): StateOwner[] {
  return nodes.flatMap((node): StateOwner[] => {
    if (!isAt(node, 'keyed')) return [];
    const keyBy = node.inputs.map((input) => nodes[input]).find((input) => input?.kind === 'keyBy');
    const key = keyBy?.kind === 'keyBy' ? keyBy.key : undefined;
    const own = node.states.length === 0 || key === undefined ? [] : [{ name: node.uid, operator: node.uid, states: node.states, key }];
    if (node.kind !== 'process' || node.broadcast === undefined || node.broadcast.states.length === 0) return own;
    return [...own, { name: broadcastStateName(node.uid), operator: node.uid, states: node.broadcast.states, key: undefined }];
  });
}

/** How snapshots are read. */
export interface ReadState {
  readonly blobs: Pick<Blobs, 'read' | 'readPart'>;
  readonly maxParallelism: number;
  /** By which it is known what has expired. */
  readonly processingMs: number;
}

/** The bytes of a key as latin1: what a map finds them by. */
export type KeyId = string;

/** The states of some key groups of an operator, in memory. */
export class StateChunk {
  readonly #owner: StateOwner;
  readonly #set: StateSet;
  #entries: ReadonlyMap<KeyId, readonly (string | undefined)[]> | undefined;

  constructor(owner: StateOwner, set: StateSet) {
    this.#owner = owner;
    this.#set = set;
  }

  /** By key what each state holds, in the owner's order, as one form that equal contents have in common. Undefined: nothing. */
  get entries(): ReadonlyMap<KeyId, readonly (string | undefined)[]> {
    this.#entries ??= this.#read();
    return this.#entries;
  }

  /** What the states hold of a key, by name. */
  valuesOf(id: KeyId): Readonly<Record<string, unknown>> {
    const bytes = Buffer.from(id, 'latin1');
    return this.#set.read(bytes, murmur2(bytes, 0, bytes.length));
  }

  #read(): Map<KeyId, (string | undefined)[]> {
    const stored = storedStates(this.#owner.states);
    const entries = new Map<KeyId, (string | undefined)[]>();
    // A base leaves out what has expired, and says the same of the same contents, however they came to be.
    const base = Buffer.concat(this.#set.takeBase());
    readSnapshot(base, this.#owner.name, stored, this.#set.keyGroups, ({ bytes, start, end, starts, ends }) => {
      const held = starts.map((from, index) => (from < 0 ? undefined : bytes.toString('latin1', from, ends[index])));
      entries.set(bytes.toString('latin1', start, end), held);
    });
    return entries;
  }
}

/** So much of snapshots is in memory at once, about. */
const CHUNK_BYTES = 32 * 1024 * 1024;

/** The key groups in as many parts as it takes to have a part in memory at a time. @param snapshots of everything that is read at once */
export function chunksOf(snapshots: readonly SnapshotRef[], maxParallelism: number): KeyGroupRange[] {
  const bytes = snapshots.flatMap(blobsOf).reduce((sum, ref) => sum + bytesOf(ref), 0);
  const chunks = Math.min(maxParallelism, Math.max(1, Math.ceil(bytes / CHUNK_BYTES)));
  return Array.from({ length: chunks }, (_, index) => ({
    first: Math.ceil((index * maxParallelism) / chunks),
    last: Math.ceil(((index + 1) * maxParallelism) / chunks) - 1,
  }));
}

/** The states of an operator in some key groups, from all snapshots that hold any of them. */
export async function loadChunk(
  { blobs, maxParallelism, processingMs }: ReadState,
  owner: StateOwner,
  snapshots: readonly SnapshotRef[],
  keyGroups: KeyGroupRange,
): Promise<StateChunk> {
  const set = new StateSet({ uid: owner.name, states: owner.states, maxParallelism, keyGroups, clock: { processingMs } });
  const own = snapshots.filter(({ keyGroups: { first, last } }) => first <= keyGroups.last && last >= keyGroups.first);
  const loaded = await Promise.all(own.map((ref) => readSnapshotBlobs({ blobs, inlineBlobBytes: 0 }, ref, keyGroups)));
  for (const payloads of loaded) set.load(payloads);
  return new StateChunk(owner, set);
}
