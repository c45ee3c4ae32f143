import { CorruptBlobError, PAYLOAD_OFFSET } from '../../format/blob.ts';
import { statesBefore, statesIn } from '../../graph/fingerprint.ts';
import { stateNames } from '../../plan/plan.ts';
import { BlobMissingError } from '../../ports/blob-store.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { type BlobRef, blobsOf, type SnapshotRef } from '../../protocol/references.ts';
import { decodeHead, headBytes, type SnapshotHead } from '../../state/snapshot/head.ts';
import { notReadable, readsSerdes, type StoredState, stateNamed } from '../../state/stored-state.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';

/** So many blobs are asked for their heads at once. */
const AT_ONCE = 64;
/** What the first request asks for: in most cases the whole head. */
const FIRST_BYTES = 4_096;

type ReadingDeps = Pick<CoordinatorDeps, 'blobs' | 'clock' | 'random' | 'observe' | 'refusalTimeoutMs'>;

/** An epoch that a job is to go on from, under the job's own names. */
export interface EpochToCheck {
  /** For people. */
  readonly what: string;
  readonly manifest: Pick<Manifest, 'offsets' | 'state'>;
  /** Of the job that ran it, or a later one. */
  readonly fingerprint: string;
  /** Has the job that is to go on read all of it before? Then only what it does not know is looked at. */
  readonly isOwn: boolean;
}

/**
 * Does the job know all that the epoch has, and can it read its state? What a job's row says of its graph is of now; an epoch, and the blobs
 * of a snapshot, may be older: they say themselves what they hold. Changes nothing.
 *
 * @throws JobFailedError: what would be left behind or cannot be read
 */
export async function checkState(
  deps: ReadingDeps,
  { plan, fingerprint }: Pick<JobSettings, 'plan' | 'fingerprint'>,
  { what, manifest, fingerprint: before, isOwn }: EpochToCheck,
  signal: AbortSignal,
): Promise<void> {
  const uids = new Set(plan.stages.flatMap((stage) => (stage.kind === 'operator' ? stateNames(stage) : [stage.id])));
  for (const source of Object.keys(manifest.offsets))
    if (!uids.has(source)) throw leftBehind(what, `the offsets of source ${source}`, source);
  for (const [operator, snapshots] of Object.entries(manifest.state)) {
    if (isOwn && uids.has(operator)) continue;
    const states = statesIn(fingerprint, operator) ?? [];
    const were = statesBefore(before, fingerprint, operator) ?? [];
    const reading = untilAnswered(deps, `reading what the state of ${operator} is`, () => headsOf(deps, snapshots), signal);
    const heads = await reading.catch((error: unknown) => {
      if (error instanceof BlobMissingError) throw new EpochGoneError(`${what} is not there any more: ${error.message}`, { cause: error });
      if (error instanceof CorruptBlobError) throw new JobFailedError(damagedText(what, error), { cause: error });
      throw error;
    });
    for (const head of heads) {
      if (head.groups.length === 0) continue;
      if (states.length === 0) throw leftBehind(what, `the state of ${operator}`, operator);
      for (const stored of head.states) checkStored(what, operator, { stored, states, before: were });
    }
  }
}

function damagedText(what: string, { message }: CorruptBlobError): string {
  return `${what}: ${message}. It was changed by something other than the job: give the blob back, or start from a savepoint or an export that does not need it (docs/disasters.md)`;
}

/** What it names is gone: it was deleted, or retired and collected, meanwhile; or somebody else has deleted it. */
export class EpochGoneError extends JobFailedError {}

interface InSnapshot {
  readonly stored: StoredState;
  /** Of the job. */
  readonly states: readonly StoredState[];
  /** Of the job that wrote it, or a later one. */
  readonly before: readonly StoredState[];
}

function checkStored(what: string, operator: string, { stored, states, before }: InSnapshot): void {
  const now = stateNamed(stored.name, states);
  if (now === undefined) throw leftBehind(what, `state ${stored.name} of ${operator}`, operator, stored.name);
  const was = stateNamed(stored.name, before);
  // It was renamed, part of it is still written under its old name, and that is another state's by now.
  if (was !== undefined && stateNamed(was.name, states) !== now)
    throw new JobFailedError(
      `${what} has state ${was.name} of ${operator} under the name ${stored.name}, which is another state's in this job: keep ${stored.name} in \`formerly\` of ${was.name}, and give the new state another name`,
    );
  if (now.kind !== stored.kind)
    throw new JobFailedError(`${what}: state ${now.name} of ${operator} was a ${stored.kind} state and is now a ${now.kind} state`);
  if (!readsSerdes(now, stored.serdes))
    throw new JobFailedError(
      `${what}: a part of state ${now.name} of ${operator} was not written since it was another one: it ${notReadable(stored.serdes, now)}`,
    );
}

function leftBehind(what: string, kept: string, uid: string, state?: string): JobFailedError {
  const renaming = state === undefined ? `{ uid: 'NEW', formerly: '${uid}' }` : `renamed(…, { formerly: '${state}' })`;
  return new JobFailedError(
    `${what} has ${kept}, which this job does not know, and would leave it behind: say what it is now (${renaming}), give it back, or start from a savepoint and name what is left behind (--drop ${uid})`,
  );
}

async function headsOf({ blobs }: ReadingDeps, snapshots: readonly SnapshotRef[]): Promise<readonly SnapshotHead[]> {
  const refs = snapshots.flatMap(blobsOf);
  const heads: SnapshotHead[] = [];
  for (let first = 0; first < refs.length; first += AT_ONCE)
    heads.push(...(await Promise.all(refs.slice(first, first + AT_ONCE).map((ref) => headOf(blobs, ref)))));
  return heads;
}

async function headOf(blobs: ReadingDeps['blobs'], ref: BlobRef): Promise<SnapshotHead> {
  if (ref.at === 'inline') return decodeHead(await blobs.read('state', ref), 'an inline snapshot').head;
  const start = await blobs.readPart('state', ref, 0, Math.min(FIRST_BYTES, ref.bytes - PAYLOAD_OFFSET));
  const end = headBytes(start, ref.name);
  const rest = end <= start.length ? [] : [await blobs.readPart('state', ref, start.length, end)];
  return decodeHead(Buffer.concat([start, ...rest]), ref.name).head;
}
