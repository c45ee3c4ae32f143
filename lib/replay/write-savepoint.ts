import { storeManifest } from '../epoch/decision/decide-manifest.ts';
import { fingerprint } from '../graph/fingerprint.ts';
import { describeGraph } from '../graph/graph.ts';
import type { JobDefinition } from '../graph/job.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { EpochStore, Savepoint } from '../ports/epoch-store.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Spool } from '../storage/spool.ts';
import { stateOwners } from './state-of.ts';
import { writeStates } from './write-state.ts';

export interface SavepointDeps {
  readonly epochs: Pick<EpochStore, 'readSavepoint' | 'importSavepoint' | 'moveSavepoint'>;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly random: Random;
  readonly spool: Spool;
}

export type SavepointMade = { readonly outcome: 'made'; readonly lines: number } | { readonly outcome: 'exists' };

const FIRST_EPOCH = 0;

/**
 * Makes a savepoint of what lines of JSON say (`writeStates`), without offsets: whoever is started from it reads from the starting offsets of
 * its sources. Blobs are written under an incarnation of their own, and the row when they are all there; a write that dies leaves blobs and no savepoint.
 *
 * @throws StateLineError
 */
export async function writeSavepoint(
  deps: SavepointDeps,
  of: { readonly job: JobDefinition; readonly name: string; readonly maxParallelism: number },
  savepoint: string,
  lines: AsyncIterable<string>,
): Promise<SavepointMade> {
  const { epochs, blobs, clock, random, spool } = deps;
  const { name: job, maxParallelism } = of;
  if ((await epochs.readSavepoint(job, savepoint)) !== undefined) return { outcome: 'exists' };
  const incarnation = random.id().slice(0, 8);
  const writing = { owners: stateOwners(of.job), maxParallelism, job, incarnation, processingMs: clock.now(), blobs, random, spool };
  const { state, lines: count } = await writeStates(writing, lines);
  const decisionId = random.id();
  const nothing = { offsets: {}, topicIds: {}, outputs: {}, committables: [] };
  const manifest: Manifest = { version: 3, job, incarnation, epoch: FIRST_EPOCH, decisionId, ...nothing, state };
  const row: Savepoint = {
    ...{ job, name: savepoint, id: random.id(), standing: 'importing', createdAtMs: clock.now() },
    ...{ incarnation, epoch: FIRST_EPOCH, decisionId, manifest: await storeManifest({ blobs }, manifest) },
    ...{ fingerprint: fingerprint(describeGraph(of.job)), maxParallelism },
  };
  if ((await epochs.importSavepoint(row)) === 'exists') return { outcome: 'exists' };
  await epochs.moveSavepoint(row, 'complete');
  return { outcome: 'made', lines: count };
}
