import type { JobRow, ManifestRef, NextIncarnation } from '../../ports/epoch-store.ts';
import type { StartedFrom } from '../../protocol/savepoint.ts';
import { commitEpoch } from '../commit/commit-epoch.ts';
import { settlePool } from '../commit/settle-pool.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { storeManifest } from '../decision/decide-manifest.ts';
import { nextManifest } from '../decision/position.ts';
import { readManifest } from '../decision/read-manifest.ts';
import { fenced } from '../lease/fenced.ts';
import { type Held, ownRow, recordCommitted } from '../lease/held.ts';
import { CONTROL_POLL_MS } from '../loop/chores.ts';
import { checkStart } from './check-start.ts';
import type { PlannedStart } from './plan-start.ts';
import { stopsBefore } from './start.ts';

/** More starts of a job from a savepoint than anybody looks back on; a row has room for many more. */
const REMEMBERED_STARTS = 50;

/**
 * Brings to rest what the job leaves for the start that is planned: what is decided is committed, for a decision cannot be taken back, and nothing
 * stays open. Everything that can be told is checked before. The job is still where it was after that.
 */
export async function leaveIncarnation(
  deps: CoordinatorDeps,
  settings: JobSettings,
  row: JobRow,
  planned: PlannedStart,
  signal: AbortSignal,
): Promise<void> {
  await checkStart(deps, settings, planned.rowAfter, signal, row.incarnation);
  const { generation, incarnation, pool, lastCompleted: completed } = row;
  const held: Held<JobSettings> = { deps, settings, tenure: { generation, incarnation, sinkFacts: {}, pool }, signal };
  if (completed !== undefined && row.lastCommitted < completed.epoch) {
    const what = `reading the manifest of epoch ${completed.epoch}`;
    const last = await untilAnswered(deps, what, () => readManifest(deps, row, completed), signal);
    await commitEpoch(held, last, { recorded: row.sentAgain, isOld: true });
    await recordCommitted(held, last.epoch);
  }
  if ((await settlePool(held)) === 0) return;
  // A function of the holder before may have begun a transaction until that one has learned that it is deposed. Nobody looks for those later.
  await deps.clock.sleep(2 * CONTROL_POLL_MS, signal);
  await settlePool(held);
}

/**
 * Gives the job its next incarnation, which begins at the epoch of the start that is planned, and lets it run. Answers the row after that. A coordinator
 * that is told to end asks for nothing a second time.
 */
export async function beginIncarnation(
  deps: CoordinatorDeps,
  settings: JobSettings,
  row: JobRow,
  { from, manifest: at, incarnation, added, renamed }: PlannedStart,
  signal: AbortSignal,
): Promise<JobRow> {
  const { job, generation } = row;
  const { startAt } = settings;
  const nowMs = deps.clock.now();
  const { epoch, savepoint } = from;
  const { offsets, topicIds, state, time } = at;
  const manifest = nextManifest({ job, incarnation }, at, {
    epoch,
    decisionId: deps.random.id(),
    position: { offsets, topicIds, state, time },
    outputs: {},
    committables: [],
    parallelism: at.parallelism,
  });
  const over = await untilAnswered(deps, 'reading what is passed over', () => passedOver(deps, settings), signal);
  const startedFrom = { id: from.id, savepoint: savepoint?.name, incarnation: from.incarnation, epoch, atMs: nowMs, over };
  // A blob is one of the incarnation that is left: of the next nobody knows yet, and nobody would look there if this start died.
  const store = () => storeManifest(deps, manifest, row.incarnation);
  const stored = await untilAnswered(deps, 'storing the manifest of the start', store, signal);
  const known = row.former ?? [];
  // What is left has blobs also when it had no epoch: of starts that died. That of a savepoint may be imported, or of a job that was deleted since: when the
  // savepoint goes too, nobody else looks there.
  const former = [...new Set([row.incarnation, from.incarnation])].filter((each) => known.every((other) => other.incarnation !== each));
  const next: NextIncarnation = {
    ...{ job, generation, leaves: row.incarnation, incarnation, epoch, decisionId: manifest.decisionId, manifest: stored, savepoint },
    summary: { plannedAtMs: nowMs, decidedAtMs: nowMs, attempts: 1, recordsIn: 0, recordsOut: 0 },
    // Of what is dropped nothing is left to be compared with; a person has said so.
    fingerprint: settings.fingerprint,
    maxParallelism: from.maxParallelism,
    leaseExpiresAtMs: nowMs + settings.leaseMs,
    startedFrom: [...(row.startedFrom ?? []), startedFrom].slice(-REMEMBERED_STARTS),
    former: [...known, ...former.map((each) => ({ incarnation: each, leftAtMs: nowMs }))],
    // A stop that was asked for since the job was taken, or since this start was first tried, stays.
    letsRunAfterStops: row.desired === 'stopped' ? stopsBefore(settings, row) : undefined,
  };
  const begun = await untilAnswered(deps, 'beginning another incarnation', () => deps.epochs.beginIncarnation(next), signal);
  if (begun === 'refused') {
    await deleteStored(deps, stored);
    throw new JobFailedError(
      `${from.what} of job ${job} is not there any more: it was deleted, or retired, while the job was to start from it`,
    );
  }
  fenced(settings, begun);
  const dropped = startAt?.drop ?? [];
  const { sourceOffsets } = startAt ?? {};
  deps.observe({
    event: 'started-from',
    from: from.what,
    epoch,
    incarnation,
    left: row.incarnation,
    added,
    renamed,
    dropped,
    sourceOffsets,
  });
  if (sourceOffsets !== undefined) deps.observe({ event: 'starting-offsets', epoch, offsets });
  const after = await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(job));
  // An answer that comes late may be of a write from before somebody took over, whose generation is not this process's.
  return ownRow(settings, { generation, incarnation }, after);
}

/** The savepoint of the configuration, where a person starts the job from another: it is not the next start's either. */
async function passedOver(
  { epochs }: Pick<CoordinatorDeps, 'epochs'>,
  { job, startAt, configuredFrom }: JobSettings,
): Promise<StartedFrom['over']> {
  if (configuredFrom === undefined || startAt?.once === undefined) return undefined;
  const found = await epochs.readSavepoint(job, configuredFrom);
  return found && { name: found.name, id: found.id };
}

/** No manifest names it: nothing would ever delete it. */
async function deleteStored({ blobStore }: CoordinatorDeps, stored: ManifestRef): Promise<void> {
  if (stored.at === 'blob') await blobStore.delete([stored.name]);
}
