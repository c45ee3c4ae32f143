import { deleteSavepoint, deleteUnnamed } from '../epoch/savepoint/delete.ts';
import { manifestToCome, writeManifest } from '../epoch/savepoint/manifest-to-come.ts';
import { fingerprint } from '../graph/fingerprint.ts';
import { describeGraph } from '../graph/graph.ts';
import type { JobDefinition } from '../graph/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { EpochStore, Savepoint } from '../ports/epoch-store.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { SavepointStanding } from '../protocol/savepoint.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Spool } from '../storage/spool.ts';
import { stateOwners } from './state-of.ts';
import { type WrittenState, writeStates } from './write-state.ts';

export interface SavepointDeps {
  readonly epochs: EpochStore;
  readonly blobStore: BlobStore;
  /** Over that store. */
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly random: Random;
  readonly spool: Spool;
}

export type SavepointMade =
  | { readonly outcome: 'made'; readonly lines: number }
  | { readonly outcome: 'exists'; readonly standing: SavepointStanding }
  /** Somebody has deleted it meanwhile. */
  | { readonly outcome: 'gone' };

const FIRST_EPOCH = 0;

/**
 * Makes a savepoint of what lines of JSON say (`writeStates`), without offsets: whoever is started from it reads from the starting offsets of
 * its sources. Its row comes first and is complete last, and its blobs are under an incarnation of their own. So a write that dies leaves what
 * `savepoint delete` deletes; one that fails deletes it itself.
 *
 * @throws StateLineError
 */
export async function writeSavepoint(
  deps: SavepointDeps,
  of: { readonly job: JobDefinition; readonly name: string; readonly maxParallelism: number },
  savepoint: string,
  lines: AsyncIterable<string>,
): Promise<SavepointMade> {
  const { epochs, clock, random } = deps;
  const { name: job, maxParallelism } = of;
  const own = { job, incarnation: random.id().slice(0, 8), epoch: FIRST_EPOCH };
  const row: Savepoint = {
    ...{ ...own, name: savepoint, id: random.id(), standing: 'importing', createdAtMs: clock.now() },
    ...{ decisionId: random.id(), manifest: manifestToCome(own, random) },
    ...{ fingerprint: fingerprint(describeGraph(of.job)), maxParallelism },
  };
  if ((await epochs.importSavepoint(row)) === 'exists') {
    const known = await epochs.readSavepoint(job, savepoint);
    return { outcome: 'exists', standing: known?.standing ?? 'deleting' };
  }
  const written = await writeBlobs(deps, of.job, row, lines);
  if ((await epochs.moveSavepoint(row, 'complete')) === 'moved') return { outcome: 'made', lines: written.lines };
  // Who deleted it has not seen what came since.
  await deleteUnnamed(deps, row);
  return { outcome: 'gone' };
}

async function writeBlobs(
  deps: SavepointDeps,
  definition: JobDefinition,
  row: Savepoint,
  lines: AsyncIterable<string>,
): Promise<WrittenState> {
  const { blobs, blobStore, random, spool } = deps;
  const { job, incarnation, epoch, decisionId, maxParallelism, createdAtMs } = row;
  const writing = { owners: stateOwners(definition), maxParallelism, job, incarnation, processingMs: createdAtMs, blobs, random, spool };
  try {
    const written = await writeStates(writing, lines);
    const nothing = { offsets: {}, topicIds: {}, outputs: {}, committables: [] };
    const manifest: Manifest = { version: 3, job, incarnation, epoch, decisionId, ...nothing, state: written.state };
    await writeManifest(blobStore, row.manifest, manifest);
    return written;
  } catch (error) {
    // What went wrong is said, whatever becomes of this.
    await deleteSavepoint(deps, row).catch(() => undefined);
    throw error;
  }
}
