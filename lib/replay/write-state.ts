import { byName } from '../config/by-name.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { murmur2 } from '../format/murmur2.ts';
import type { Random } from '../ports/clock.ts';
import { keyGroupOf, keyGroupRange } from '../protocol/key-groups.ts';
import type { Position } from '../protocol/manifest.ts';
import type { KeyGroupRange, SnapshotRef } from '../protocol/references.ts';
import { StateSet } from '../state/state-set.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Spool } from '../storage/spool.ts';
import { fromJsonable } from './from-jsonable.ts';
import { openedToWrite, putState } from './put-state.ts';
import type { StateOwner } from './state-of.ts';

/** A line is none, or is of something that the job has not. Nothing that anybody would find was written. */
export class StateLineError extends Error {
  override readonly name = 'StateLineError';
  constructor(line: number, why: string, options?: ErrorOptions) {
    super(`line ${line}: ${why}`, options);
  }
}

export interface WriteState {
  readonly owners: readonly StateOwner[];
  readonly maxParallelism: number;
  readonly job: string;
  /** Under which the blobs are written: new. */
  readonly incarnation: string;
  /** By which it is known when a state with a time to live was written. */
  readonly processingMs: number;
  readonly blobs: Pick<Blobs, 'write'>;
  readonly random: Random;
  /** Closed by the caller. */
  readonly spool: Spool;
}

export interface WrittenState {
  readonly state: Position['state'];
  readonly lines: number;
}

/** A part of the key groups is in memory at once. */
const MOST_PARTS = 64;

/**
 * Snapshots of what lines of JSON say: `{ operator, key, state, value }`, as `readStates` gives them, in any order. They are sorted into parts on
 * disk first, and of each part a snapshot is made, so that all of them need not fit into memory.
 *
 * @throws StateLineError
 */
export async function writeStates(writing: WriteState, lines: AsyncIterable<string>): Promise<WrittenState> {
  const { owners, maxParallelism, spool } = writing;
  const parts = Math.min(MOST_PARTS, maxParallelism);
  const targets = owners.flatMap((owner): Target[] =>
    // What is broadcast is one key's, in one snapshot of all key groups.
    owner.key === undefined
      ? [{ owner, keyGroups: { first: 0, last: maxParallelism - 1 } }]
      : Array.from({ length: parts }, (_, part) => ({ owner, keyGroups: keyGroupRange(part, parts, maxParallelism) })),
  );
  const count = await sortLines(writing, targets, lines);
  const state = new Map<string, SnapshotRef[]>();
  for (const [index, target] of targets.entries()) {
    const ref = await snapshotOf(writing, target, spool.read(index));
    state.set(target.owner.name, [...(state.get(target.owner.name) ?? []), ref]);
  }
  // Of an operator of which no line says anything nothing is kept.
  const kept = [...state].filter(([, refs]) => refs.some(({ base }) => base !== undefined));
  return { state: byName(kept), lines: count };
}

/** A snapshot that is to be. */
interface Target {
  readonly owner: StateOwner;
  readonly keyGroups: KeyGroupRange;
}

interface StateLine {
  readonly number: number;
  readonly id: string;
  readonly hash: number;
  readonly state: string;
  readonly value: unknown;
}

async function sortLines(
  { owners, maxParallelism, spool }: WriteState,
  targets: readonly Target[],
  lines: AsyncIterable<string>,
): Promise<number> {
  let number = 0;
  let count = 0;
  for await (const text of lines) {
    number++;
    if (text.trim() === '') continue;
    const { owner, key, state, value } = lineIn(owners, text, number);
    const bytes = keyBytes(owner, key, number);
    const hash = murmur2(bytes, 0, bytes.length);
    const group = keyGroupOf(hash, maxParallelism);
    const part = targets.findIndex((target) => target.owner === owner && target.keyGroups.first <= group && group <= target.keyGroups.last);
    const line: StateLine = { number, id: bytes.toString('latin1'), hash, state, value };
    spool.append(part, JSON.stringify(line));
    count++;
  }
  return count;
}

function lineIn(owners: readonly StateOwner[], text: string, number: number) {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (cause) {
    throw new StateLineError(number, `it is no JSON: ${(cause as Error).message}`, { cause });
  }
  const { operator, key, state, value } = (said ?? {}) as { readonly [name: string]: unknown };
  if (typeof operator !== 'string' || typeof state !== 'string' || key === undefined || value === undefined)
    throw new StateLineError(number, 'it must be {"operator": …, "key": …, "state": …, "value": …}, as "onceflow state read" prints it');
  const own = owners.filter((owner) => owner.operator === operator);
  if (own.length === 0)
    throw new StateLineError(
      number,
      `the job has no operator ${operator} that keeps state; it has ${[...new Set(owners.map((owner) => owner.operator))].join(', ') || 'none'}`,
    );
  const owner = own.find((each) => (each.key === undefined) === (key === null) && each.states.some(({ name }) => name === state));
  if (owner !== undefined) return { owner, key, state, value };
  throw new StateLineError(
    number,
    `operator ${operator} keeps no ${state} ${key === null ? 'of what is broadcast to it (key null)' : 'by key'}`,
  );
}

function keyBytes({ operator, key: serde }: StateOwner, key: unknown, number: number): Buffer {
  const out = new ByteWriter();
  try {
    serde?.write(fromJsonable(key), out);
  } catch (cause) {
    throw new StateLineError(number, `its key is none that operator ${operator} can have: ${messageOf(cause)}`, { cause });
  }
  return Buffer.from(out.view());
}

async function snapshotOf(writing: WriteState, { owner, keyGroups }: Target, lines: AsyncIterable<string>): Promise<SnapshotRef> {
  const { maxParallelism, processingMs, blobs, random, job, incarnation } = writing;
  const states = owner.states.map(openedToWrite);
  const set = new StateSet({ uid: owner.name, states, storedAs: owner.states, maxParallelism, keyGroups, clock: { processingMs } });
  const met = new Set<string>();
  for await (const text of lines) {
    const line = JSON.parse(text) as StateLine;
    const { id, state, number } = line;
    const name = JSON.stringify([id, state]);
    if (met.has(name)) throw new StateLineError(number, `state ${state} of this key was said by a line before`);
    met.add(name);
    try {
      put(set, owner, line);
      // What cannot be encoded is said here, where it is known of which line it is.
      set.takeBack();
    } catch (cause) {
      throw new StateLineError(number, `state ${state} of operator ${owner.operator} cannot hold this value: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
  if (met.size === 0) return { id: 'empty', keyGroups, deltas: [] };
  const due = set.due();
  const place = { job, incarnation, stage: owner.operator, subtask: keyGroups.first, epoch: 0 };
  const base = await blobs.write(place, `state/${owner.name}`, 'state', set.takeBase(), 0);
  return { id: random.id(), keyGroups, base, deltas: [], due };
}

function put(set: StateSet, { states }: StateOwner, { id, hash, state, value }: StateLine): void {
  const declared = states.find(({ name }) => name === state);
  if (declared === undefined) throw new Error(`a line was taken of state ${state}, and there is none`);
  const bytes = Buffer.from(id, 'latin1');
  set.keys.current = set.keys.numberOf(bytes, 0, bytes.length, hash);
  putState(set, declared, value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
