import { type Decision, type EpochSummary, MAX_ROW_MANIFEST_BYTES, type ManifestRef } from '../../ports/epoch-store.ts';
import { growingPauses } from '../../ports/pause.ts';
import { asDecided } from '../../protocol/as-decided.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { DecidedManifest } from '../../protocol/permit.ts';
import { type CoordinatorDeps, type JobSettings, LeftToNextError, SupersededError } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { type Held, howLost } from '../lease/held.ts';
import { afterRefusal } from './after-refusal.ts';

/** A manifest up to this size lives in the epoch's row: well below what a row takes, which is billed by size; a larger one in the blob store. */
const ROW_MANIFEST_BYTES = Math.floor(MAX_ROW_MANIFEST_BYTES * 0.6);
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2_000;

/**
 * The decision: from its success on the epoch exists, for ever. Every blob that the manifest names has been acknowledged
 * by the store before this is called. An ambiguous answer is resolved by repeating the identical write, the lease's
 * expiry included, under the same token; a refused one by reading the job row. Throws `SupersededError` when another
 * generation holds the job: then nothing is aborted and nothing deleted.
 */
export async function decideManifest(
  { deps, settings, tenure, signal }: Held<JobSettings>,
  manifest: Manifest,
  summary: EpochSummary,
): Promise<DecidedManifest> {
  const stored = await untilAnswered(deps, `storing the manifest of epoch ${manifest.epoch}`, () => storeManifest(deps, manifest));
  const decision: Decision = {
    job: settings.job,
    incarnation: tenure.incarnation,
    generation: tenure.generation,
    epoch: manifest.epoch,
    decisionId: manifest.decisionId,
    parentDecisionId: manifest.parentDecisionId,
    leaseExpiresAtMs: deps.clock.now() + settings.leaseMs,
    lastCommitted: Math.max(0, manifest.epoch - 1),
    manifest: stored,
    summary,
  };
  const pauses = growingPauses(deps, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  for (;;) {
    const answer = await untilAnswered(deps, `deciding epoch ${manifest.epoch}`, () => deps.epochs.decide(decision));
    if (answer === 'decided') return asDecided(manifest);
    if (answer === 'refused') {
      const row = await untilAnswered(deps, 'reading the job row after a refused decision', () => deps.epochs.readJob(settings.job));
      const meaning = afterRefusal(row, tenure, manifest.decisionId);
      if (meaning === 'decided') return asDecided(manifest);
      if (meaning === 'superseded')
        throw new SupersededError(
          `${howLost(settings, tenure, row)}; epoch ${manifest.epoch} of generation ${tenure.generation} was not decided`,
        );
    }
    if (signal.aborted)
      throw new LeftToNextError(
        `whether epoch ${manifest.epoch} was decided is left to the next coordinator to read: this one was told to end`,
      );
    deps.observe({
      event: 'warning',
      message: `the decision of epoch ${manifest.epoch} got no clear answer (${answer}); the identical write is repeated`,
    });
    await pauses.wait(signal);
  }
}

/** In its row, or in a blob of its own when it is large. @param incarnation whose collection looks for the blob. @default the manifest's */
export async function storeManifest(
  deps: Pick<CoordinatorDeps, 'blobs'>,
  manifest: Manifest,
  incarnation = manifest.incarnation,
): Promise<ManifestRef> {
  if (fitsRow(manifest)) return { at: 'row', manifest };
  const text = JSON.stringify(manifest);
  const place = { job: manifest.job, incarnation, stage: 'manifest', subtask: 0, epoch: manifest.epoch };
  const ref = await deps.blobs.write(place, 'manifest', 'manifest', [Buffer.from(text)], 0);
  if (ref.at !== 'store') throw new Error('a manifest blob is never inline');
  return { at: 'blob', name: ref.name };
}

export function fitsRow(manifest: Manifest): boolean {
  return Buffer.byteLength(JSON.stringify(manifest)) <= ROW_MANIFEST_BYTES;
}
