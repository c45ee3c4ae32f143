import { ofName } from '../config/by-name.ts';
import type { Position } from '../protocol/manifest.ts';
import { jsonable } from './jsonable.ts';
import { chunksOf, type KeyId, loadChunk, type ReadState, type StateChunk, type StateOwner } from './state-of.ts';

/** What of an operator's state differs between two positions. */
export interface StateDifference {
  readonly operator: string;
  /** Of what is broadcast to it: then there is one key, null. */
  readonly isBroadcast: boolean;
  /** Keys that have state, at the one and at the other. */
  readonly keys: number;
  readonly otherKeys: number;
  /** Keys that differ. */
  readonly differing: number;
  /** Of these the first. */
  readonly byKey: readonly KeyStateDifference[];
}

export interface KeyStateDifference {
  readonly key: unknown;
  /** By state, those that differ. In the form of `jsonable`; undefined: it holds nothing of the key. */
  readonly states: readonly { readonly state: string; readonly one?: unknown; readonly other?: unknown }[];
}

/** One of two positions, and how its snapshots are read. */
export interface StateSide {
  readonly read: ReadState;
  readonly state: Position['state'];
}

/**
 * Compares what an operator keeps at two positions, key by key: as the job's code reads it, whatever snapshots it is in.
 *
 * @param most so many keys are shown
 */
export async function compareState(owner: StateOwner, one: StateSide, other: StateSide, most: number): Promise<StateDifference> {
  const { maxParallelism } = one.read;
  const snapshots = { one: ofName(one.state, owner.name) ?? [], other: ofName(other.state, owner.name) ?? [] };
  const result = { keys: 0, otherKeys: 0, differing: 0 };
  const byKey: KeyStateDifference[] = [];
  for (const range of chunksOf([...snapshots.one, ...snapshots.other], maxParallelism)) {
    const [left, right] = await Promise.all([
      loadChunk(one.read, owner, snapshots.one, range),
      loadChunk(other.read, owner, snapshots.other, range),
    ]);
    result.keys += left.entries.size;
    result.otherKeys += right.entries.size;
    for (const id of differingKeys(left, right)) {
      result.differing++;
      if (byKey.length < most) byKey.push(differenceOf(owner, id, left, right));
    }
  }
  return { operator: owner.operator, isBroadcast: owner.key === undefined, ...result, byKey };
}

function* differingKeys({ entries: left }: StateChunk, { entries: right }: StateChunk): Generator<KeyId> {
  for (const [id, held] of left) if (!isSame(held, right.get(id))) yield id;
  for (const id of right.keys()) if (!left.has(id)) yield id;
}

function isSame(one: readonly (string | undefined)[], other: readonly (string | undefined)[] | undefined): boolean {
  return other !== undefined && one.every((held, index) => held === other[index]);
}

function differenceOf(owner: StateOwner, id: KeyId, left: StateChunk, right: StateChunk): KeyStateDifference {
  const held = { one: left.entries.get(id), other: right.entries.get(id) };
  const values = { one: left.valuesOf(id), other: right.valuesOf(id) };
  const states = owner.states.flatMap(({ name }, index) => {
    const [one, other] = [held.one?.[index], held.other?.[index]];
    if (one === other) return [];
    return [
      {
        state: name,
        ...(one !== undefined && { one: jsonable(ofName(values.one, name)) }),
        ...(other !== undefined && { other: jsonable(ofName(values.other, name)) }),
      },
    ];
  });
  return { key: keyShown(owner, id), states };
}

/** The key as JSON can say it; null: of what is broadcast. */
export function keyShown({ key }: Pick<StateOwner, 'key'>, id: KeyId): unknown {
  if (key === undefined) return null;
  const bytes = Buffer.from(id, 'latin1');
  return jsonable(key.read(bytes, 0, bytes.length));
}
