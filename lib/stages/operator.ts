import { byName, ofName } from '../config/by-name.ts';
import type { OperatorRuntime } from '../operators/operator-runtime.ts';
import type { OperatorAnswer } from '../protocol/answers.ts';
import type { BlobRef, SnapshotRef } from '../protocol/references.ts';
import type { OperatorRequest } from '../protocol/requests.ts';
import { keepsShared } from '../protocol/shared-state.ts';
import { TimerError, UserCodeError } from '../records/errors.ts';
import type { BroadcastState } from '../state/broadcast-state.ts';
import { StateValueError } from '../state/columns/encoding.ts';
import { type SnapshotSizes, shouldCompact } from '../state/compaction.ts';
import type { StateSet } from '../state/state-set.ts';
import { failureOf, type StageDeps, writeOutput } from './common.ts';
import { inlineBytes, inlineLimit } from './inline.ts';
import type { Received } from './received.ts';
import { readSnapshotBlobs } from './snapshot-blobs.ts';
import { UnreadState } from './unread-state.ts';

/** Deltas that travel inside the manifest together take at most this many times the bound for one inline blob. */
const INLINE_DELTAS = 4;
/** What a base may take of the room that a snapshot has inline: its deltas need some too. */
const BASE_SHARE = 0.5;

/**
 * A warm function's state, kept under the ids of the snapshots that it equals. It is taken out before the state is
 * changed and put back only under the new ids: speculative state is never taken for decided state, and two requests at
 * once in one process never share it.
 */
export interface WarmOperator {
  runtime: OperatorRuntime | undefined;
  /** What of its state was not read yet. Undefined: all was. */
  unread?: UnreadState | undefined;
  /** By operator uid. */
  snapshotIds: Readonly<Record<string, string>>;
}

/** One epoch of one operator subtask: its part of the exchange applied to its key groups' state. */
export async function runOperator(
  deps: StageDeps,
  warm: WarmOperator,
  createRuntime: () => OperatorRuntime,
  request: Received<OperatorRequest>,
): Promise<OperatorAnswer> {
  let working: Working | undefined;
  try {
    const inputs = Promise.all(
      request.inputs.map(async ({ ref, input }) => ({
        input,
        segment: await deps.blobs.read('exchange', ref),
        name: ref.at === 'store' ? ref.name : 'inline exchange',
      })),
    );
    inputs.catch(() => {});
    working = takeWarm(warm, request) ?? (await restored(deps, createRuntime(), request));
    const { runtime, unread } = working;
    runtime.begin(request.time);
    for (const { segment, name, input } of await inputs) {
      await unread?.readFor(segment, name);
      runtime.consume(segment, name, input);
      if (runtime.isWaiting) await runtime.settle(deps.clock, request.deadlineMs);
    }
    await unread?.readDue(request.time);
    runtime.endTime();
    if (runtime.isWaiting) await runtime.settle(deps.clock, request.deadlineMs);
    await unread?.readEarliest();
    const made = runtime.finish();
    const [output, { snapshots, ids }] = await Promise.all([writeOutput(deps, request, made), writeSnapshots(deps, working, request)]);
    runtime.checkStray();
    // Of another request that was worked on at once.
    warm.runtime?.close();
    warm.runtime = runtime;
    warm.unread = unread;
    warm.snapshotIds = ids;
    return { outcome: 'processed', snapshots, late: made.late, ...output };
  } catch (error) {
    working?.runtime.close();
    return failureOf(error);
  }
}

/** A runtime whose state is what the request starts from. */
interface Working {
  readonly runtime: OperatorRuntime;
  readonly unread: UnreadState | undefined;
}

/** The warm state, if it is exactly what the request starts from. Forgotten from here on, whatever happens. */
function takeWarm(warm: WarmOperator, request: OperatorRequest): Working | undefined {
  const { runtime, unread, snapshotIds } = warm;
  warm.runtime = undefined;
  warm.unread = undefined;
  if (runtime === undefined) return undefined;
  const same = Object.entries(request.snapshots).every(([uid, refs]) => refs.length === 1 && refs[0]?.id === ofName(snapshotIds, uid));
  if (same) return { runtime, unread };
  runtime.close();
  return undefined;
}

/** What was made of a runtime that cannot be filled, files on the disk among it, does not wait until somebody collects it. */
async function restored(deps: StageDeps, runtime: OperatorRuntime, request: OperatorRequest): Promise<Working> {
  try {
    return await restore(deps, runtime, request);
  } catch (error) {
    runtime.close();
    throw error;
  }
}

/** Reads everything at once, and loads it in its order. Of state that has a bound only what and where it is: it is read when rows come for it, or it is due. */
async function restore(deps: StageDeps, runtime: OperatorRuntime, request: OperatorRequest): Promise<Working> {
  const unread = new UnreadState(deps, request.maxParallelism);
  await Promise.all(
    Object.entries(request.snapshots).map(async ([uid, refs]) => {
      const state = stateOf(runtime, uid);
      if (state.isReplicated || state.residents === undefined) {
        const snapshots = await Promise.all(refs.map((ref) => readSnapshotBlobs(deps, ref, state.keyGroups)));
        for (const payloads of snapshots) state.load(payloads);
        return;
      }
      await unread.leave(state, refs);
    }),
  );
  return { runtime, unread: unread.isEmpty ? undefined : unread };
}

interface WrittenSnapshots {
  readonly snapshots: Readonly<Record<string, SnapshotRef>>;
  /** Under which the runtime's states are known now; also of those whose snapshot another subtask writes. */
  readonly ids: Readonly<Record<string, string>>;
}

async function writeSnapshots(deps: StageDeps, { runtime, unread }: Working, request: OperatorRequest): Promise<WrittenSnapshots> {
  const named = Object.entries(request.snapshots).map(([name, refs]) => ({ name, refs, state: stateOf(runtime, name) }));
  const isOwn = ({ state }: { readonly state: StateSet | BroadcastState }) => !state.isReplicated || keepsShared(request.subtask);
  const written = await Promise.all(
    named
      .filter(isOwn)
      .map(async ({ name, refs, state }) => [name, await writeSnapshot(deps, { runtime, unread, name, state, refs }, request)] as const),
  );
  const followed = named
    .filter((each) => !isOwn(each))
    .map(({ name, refs, state }) => [name, follow({ runtime, unread, name, state, refs }, request)] as const);
  return { snapshots: byName(written), ids: byName([...written.map(([name, { id }]) => [name, id] as const), ...followed]) };
}

/** A state of the runtime, and the snapshots that it was at the beginning of the epoch. */
interface StateAfter extends Working {
  readonly name: string;
  readonly state: StateSet | BroadcastState;
  readonly refs: readonly SnapshotRef[];
}

/** Another subtask writes the snapshot: here it is known what it is. */
function follow({ runtime, name, state, refs }: StateAfter, request: OperatorRequest): string {
  const [previous] = refs;
  if (previous !== undefined && !state.changed()) return previous.id;
  taken(runtime, name, () => state.takeDelta());
  return sharedIdOf(request);
}

/** What all subtasks hold alike after an attempt has one name in all of them. */
function sharedIdOf({ decisionId }: OperatorRequest): string {
  return decisionId;
}

async function writeSnapshot(deps: StageDeps, after: StateAfter, request: OperatorRequest): Promise<SnapshotRef> {
  const { runtime, name, state, refs } = after;
  const { keyGroups } = state;
  const previous = refs.length === 1 ? refs[0] : undefined;
  const rescaled = previous === undefined || previous.keyGroups.first !== keyGroups.first || previous.keyGroups.last !== keyGroups.last;
  if (!rescaled && !state.changed()) return previous;
  const id = state.isReplicated ? sharedIdOf(request) : deps.random.id();
  const folder = `state/${name}`;
  const { inlineBlobBytes } = deps;
  // Of the base and all deltas together: a request takes them all.
  const room = inlineLimit(Number.POSITIVE_INFINITY, request.meeting.snapshots);
  if (rescaled || shouldCompact(sizesOf(previous))) {
    const place = { request, folder, inlineUpTo: Math.min(inlineBlobBytes, room * BASE_SHARE) };
    return { id, keyGroups, ...(await writeBase(deps, after, place)), due: state.due() };
  }
  const deltaBytes = previous.deltas.reduce((sum, ref) => sum + inlineBytes(ref), 0);
  const left = Math.min(INLINE_DELTAS * inlineBlobBytes, room - inlineBytes(previous.base)) - deltaBytes;
  const inlineUpTo = Math.min(inlineBlobBytes, left);
  const delta = await deps.blobs.write(
    request,
    folder,
    'state',
    taken(runtime, name, () => state.takeDelta()),
    inlineUpTo,
  );
  const { base, baseParts } = previous;
  return { id, keyGroups, base, deltas: [...previous.deltas, delta], ...(baseParts !== undefined && { baseParts }), due: state.due() };
}

interface BasePlace {
  readonly request: OperatorRequest;
  readonly folder: string;
  readonly inlineUpTo: number;
}

/** One blob behind the other: state that has a bound is never in memory as a whole. */
async function writeBase(
  deps: StageDeps,
  { runtime, unread, name, state }: StateAfter,
  { request, folder, inlineUpTo }: BasePlace,
): Promise<Pick<SnapshotRef, 'base' | 'deltas' | 'baseParts'>> {
  if (!state.isReplicated) await unread?.readAll(state);
  const parts = state.takeBases();
  const refs: BlobRef[] = [];
  for (;;) {
    const { done, value } = taken(runtime, name, () => parts.next());
    if (done === true) break;
    refs.push(await deps.blobs.write(request, folder, 'state', value, refs.length === 0 ? inlineUpTo : 0));
  }
  const [base, ...deltas] = refs;
  return { ...(base !== undefined && { base }), deltas, ...(deltas.length > 0 && { baseParts: deltas.length }) };
}

/** A value that a serde cannot encode was set by user code, at some record, or at a timer: then no record is left out for it. */
function taken<T>({ hasFired }: OperatorRuntime, uid: string, take: () => T): T {
  try {
    return take();
  } catch (cause) {
    if (!(cause instanceof StateValueError)) throw cause;
    throw hasFired ? new TimerError(uid, 'in an epoch in which timers have fired', cause) : new UserCodeError(uid, cause);
  }
}

function sizesOf({ base, deltas, baseParts = 0 }: SnapshotRef): SnapshotSizes {
  const bytesOf = (refs: readonly BlobRef[]) => refs.reduce((sum, ref) => sum + (ref.at === 'inline' ? inlineBytes(ref) : ref.bytes), 0);
  return {
    baseBytes: bytesOf([...(base === undefined ? [] : [base]), ...deltas.slice(0, baseParts)]),
    deltaBytes: bytesOf(deltas.slice(baseParts)),
    deltas: deltas.length - baseParts,
  };
}

function stateOf(runtime: OperatorRuntime, uid: string): StateSet | BroadcastState {
  const state = runtime.states.get(uid) ?? runtime.broadcastStates.get(uid);
  if (state === undefined) throw new Error(`the job has no keyed operator ${uid}: coordinator and operator function run different jobs`);
  return state;
}
