import { ExchangeReader } from '../format/exchange-reader.ts';
import type { Due, StageTime } from '../protocol/event-time.ts';
import { keyGroupOf } from '../protocol/key-groups.ts';
import type { KeyGroupRange, SnapshotRef } from '../protocol/references.ts';
import { decodeHead, type SnapshotHead } from '../state/snapshot/head.ts';
import type { StateSet } from '../state/state-set.ts';
import { type OpenSnapshotBlob, openSnapshotBlob, type ReadingDeps, readGroups } from './snapshot-blobs.ts';

/** About so much at most is asked for at once, of key groups next to each other, and so many such slices at a time. */
const MOST_SLICE_BYTES = 4 * 1024 * 1024;
const SLICES_AT_ONCE = 4;

/** One snapshot: the blobs of its base, and its deltas, oldest first. */
interface OpenSnapshot {
  readonly bases: readonly OpenSnapshotBlob[];
  readonly deltas: readonly OpenSnapshotBlob[];
}

/**
 * What of an operator subtask's state was not read from its snapshots yet, where it has a bound: key groups are read when rows come for
 * them, or what waits in them for a time is due. The blobs stay as long as something is unread: each is of the last snapshot until that has a new base, for which all is read.
 */
export class UnreadState {
  readonly #deps: ReadingDeps;
  readonly #maxParallelism: number;
  readonly #snapshots = new Map<StateSet, readonly OpenSnapshot[]>();

  constructor(deps: ReadingDeps, maxParallelism: number) {
    this.#deps = deps;
    this.#maxParallelism = maxParallelism;
  }

  /** Has all been read? */
  get isEmpty(): boolean {
    return this.#snapshots.size === 0;
  }

  /** The state is what these snapshots hold. Only what and where that is, is read now. */
  async leave(state: StateSet, refs: readonly SnapshotRef[]): Promise<void> {
    const snapshots = await Promise.all(refs.map((ref) => this.#open(ref)));
    // Of a key group the newest snapshot that has any of it says before which time nothing of it is due.
    for (const { saysDue, groups } of snapshots.flatMap(blobsOf).map(headOf))
      for (const { keyGroup, due } of groups) leaveGroup(state, keyGroup, saysDue || !state.waitsForTime ? due : ANY_TIME);
    if (!isRead(state)) this.#snapshots.set(state, snapshots);
  }

  /** Reads the key groups that the segment has rows for. */
  async readFor(segment: Buffer, name: string): Promise<void> {
    if (this.#snapshots.size === 0) return;
    const reader = new ExchangeReader();
    reader.open(segment, name);
    const wanted = new Set<number>();
    for (let index = 0; index < reader.keys; index++) wanted.add(keyGroupOf(reader.hashes[index] as number, this.#maxParallelism));
    for (const state of [...this.#snapshots.keys()]) await this.#read(state, wanted);
  }

  /** Reads the key groups in which something waits that is due at the end of an epoch. */
  async readDue(time: StageTime | undefined): Promise<void> {
    const { afterMs = Number.NEGATIVE_INFINITY, processingMs = 0 } = time ?? {};
    for (const state of [...this.#snapshots.keys()])
      if (state.waitsForTime && state.residents !== undefined) await this.#read(state, state.residents.unreadDue(afterMs, processingMs));
  }

  /** Reads until it is known what is the earliest that waits for a time: of a key group that was not read something later may be. */
  async readEarliest(): Promise<void> {
    for (const state of [...this.#snapshots.keys()]) {
      if (!state.waitsForTime) continue;
      for (;;) {
        const keyGroup = state.residents?.unreadBefore(state.due());
        if (keyGroup === undefined) break;
        await this.#read(state, new Set([keyGroup]));
      }
    }
  }

  /** Reads all that is left of the state. */
  async readAll(state: StateSet): Promise<void> {
    await this.#read(state, new Set(state.residents?.unread));
  }

  async #open({ base, deltas, baseParts = 0 }: SnapshotRef): Promise<OpenSnapshot> {
    const refs = base === undefined ? deltas : [base, ...deltas];
    const blobs = await Promise.all(refs.map((ref) => openSnapshotBlob(this.#deps, ref)));
    const bases = base === undefined ? 0 : 1 + baseParts;
    return { bases: blobs.slice(0, bases), deltas: blobs.slice(bases) };
  }

  /** What blobs have of these key groups: one that was read as a whole holds more, which is passed over. */
  #part(blobs: readonly OpenSnapshotBlob[], keyGroups: KeyGroupRange): Promise<Buffer[]> {
    return Promise.all(blobs.map((blob) => (blob.head === undefined ? blob.payload : readGroups(this.#deps, blob, keyGroups))));
  }

  async #read(state: StateSet, wanted: ReadonlySet<number>): Promise<void> {
    const snapshots = this.#snapshots.get(state);
    if (snapshots === undefined || wanted.size === 0) return;
    const slices = slicesOf(state, snapshots, wanted);
    for (let at = 0; at < slices.length; at += SLICES_AT_ONCE) {
      const read = slices.slice(at, at + SLICES_AT_ONCE).map(async (keyGroups) => ({
        keyGroups,
        loaded: await Promise.all(
          snapshots.map(async ({ bases, deltas }) => Promise.all([this.#part(bases, keyGroups), this.#part(deltas, keyGroups)])),
        ),
      }));
      for (const { keyGroups, loaded } of await Promise.all(read))
        for (const [bases, deltas] of loaded) state.loadLater(bases, deltas, keyGroups);
    }
    if (isRead(state)) this.#snapshots.delete(state);
  }
}

function isRead({ residents }: StateSet): boolean {
  return residents === undefined || residents.isRead;
}

/** Of a key group of which it is not known: anything may be due. */
const ANY_TIME: Due = { eventMs: Number.NEGATIVE_INFINITY, processingMs: Number.NEGATIVE_INFINITY };

function leaveGroup({ residents, keyGroups: { first, last } }: StateSet, keyGroup: number, due: Due | undefined): void {
  if (keyGroup >= first && keyGroup <= last) residents?.leave(keyGroup, due);
}

function blobsOf({ bases, deltas }: OpenSnapshot): readonly OpenSnapshotBlob[] {
  return [...bases, ...deltas];
}

function headOf(blob: OpenSnapshotBlob): SnapshotHead {
  return blob.head ?? decodeHead(blob.payload, 'a snapshot').head;
}

/** Those of the wanted key groups that were not read yet, in order. */
function slicesOf({ residents }: StateSet, snapshots: readonly OpenSnapshot[], wanted: ReadonlySet<number>): KeyGroupRange[] {
  const bytesOf = new Map<number, number>();
  for (const blob of snapshots.flatMap(blobsOf))
    if (blob.head !== undefined)
      for (const { keyGroup, bytes } of blob.head.groups) bytesOf.set(keyGroup, (bytesOf.get(keyGroup) ?? 0) + bytes);
  const mostBytes = Math.min(MOST_SLICE_BYTES, residents?.partBytes ?? 0);
  const slices: KeyGroupRange[] = [];
  let sliceBytes = 0;
  for (const keyGroup of [...(residents?.unread ?? [])].filter((each) => wanted.has(each)).sort((one, other) => one - other)) {
    const last = slices.at(-1);
    const bytes = bytesOf.get(keyGroup) ?? 0;
    if (last !== undefined && last.last === keyGroup - 1 && sliceBytes + bytes <= mostBytes) {
      slices[slices.length - 1] = { first: last.first, last: keyGroup };
      sliceBytes += bytes;
    } else {
      slices.push({ first: keyGroup, last: keyGroup });
      sliceBytes = bytes;
    }
  }
  return slices;
}
