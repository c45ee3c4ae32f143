import { checkCompatible } from '../../graph/fingerprint.ts';
import type { JobRow } from '../../ports/epoch-store.ts';
import type { Own } from '../../protocol/shape.ts';
import { blobName } from '../../storage/blobs.ts';
import { learnSinks, refusalOfTimes } from '../commit/run-sinks.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, StartRefusedError, sourceStages } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { readManifest } from '../decision/read-manifest.ts';
import { checkState, EpochGoneError } from './check-state.ts';
import { checkWitness } from './check-witness.ts';
import { holderOf } from './may-start.ts';
import { asThisJobHasIt } from './new-names.ts';
import { planStart } from './plan-start.ts';

/**
 * Everything that can be told before the job is touched: do settings, graph, topics, brokers and the blob store go together with
 * each other and with the job's row? Changes nothing but a blob of its own, which it deletes; it is of `incarnation`, which the job has had blobs of: one that
 * a crash leaves is looked for there. Answers what it learned of
 * what the sinks write to. Throws `JobFailedError` when a person has to act.
 */
export async function checkStart(
  deps: CoordinatorDeps,
  settings: JobSettings,
  row: JobRow,
  signal: AbortSignal,
  incarnation = row.incarnation,
): Promise<Readonly<Record<string, Own>>> {
  checkRow(settings, row);
  checkCalls(settings);
  await untilAnswered(deps, 'asking how far the job was', () => checkWitness(deps, settings, row), signal);
  const refused = await untilAnswered(deps, 'asking what the sinks take', () => refusalOfTimes(deps, settings), signal);
  if (refused !== undefined) throw new JobFailedError(refused);
  const sources = [...new Set(sourceStages(settings).map(({ topic }) => topic))];
  await untilAnswered(
    deps,
    'asking about the source topics',
    () => Promise.all(sources.map((topic) => deps.kafka.partitionCount(topic))),
    signal,
  );
  const sinkFacts = await untilAnswered(deps, 'asking about what the sinks write to', () => learnSinks(deps, settings), signal);
  // A tick, which comes each minute, finds a location that was tried when the job was started.
  if (settings.startKind !== 'revival')
    await untilAnswered(deps, 'trying the blob store', () => tryBlobStore(deps, { job: row.job, incarnation }), signal);
  return sinkFacts;
}

/** The same for a start that would take over from a coordinator that is well. Throws `StartRefusedError`: nothing was changed. */
export async function checkTakeover(deps: CoordinatorDeps, settings: JobSettings, row: JobRow, signal: AbortSignal): Promise<void> {
  try {
    // What it has to say it says when it has the lease.
    const planned = await planStart({ ...deps, observe: () => {} }, settings, row, signal);
    await checkStart(deps, settings, planned?.rowAfter ?? row, signal, row.incarnation);
    if (planned === undefined && row.fingerprint !== settings.fingerprint) await checkNewest(deps, settings, row, signal);
  } catch (error) {
    if (!(error instanceof JobFailedError)) throw error;
    throw new StartRefusedError(`${error.message}. Nothing was changed: job ${row.job} runs on, held by ${holderOf(row)}`, {
      cause: error,
    });
  }
}

/** Of a job that runs: while its last epoch is looked at, a later one may take its place, and what it has be collected. */
async function checkNewest(deps: CoordinatorDeps, settings: JobSettings, row: JobRow, signal: AbortSignal): Promise<void> {
  const { lastCompleted: completed, fingerprint } = row;
  if (completed === undefined) return;
  try {
    const last = await untilAnswered(
      deps,
      `reading the manifest of epoch ${completed.epoch}`,
      () => readManifest(deps, row, completed),
      signal,
    );
    const what = `epoch ${completed.epoch}`;
    await checkState(deps, settings, { what, manifest: asThisJobHasIt(last, fingerprint, settings), fingerprint, isOwn: false }, signal);
  } catch (error) {
    if (error instanceof JobFailedError && !(error instanceof EpochGoneError)) throw error;
    const now = await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(row.job), signal);
    if (now === undefined || now.lastCompleted?.epoch === completed.epoch) throw error;
    await checkNewest(deps, settings, now, signal);
  }
}

function checkRow(settings: JobSettings, row: JobRow): void {
  if (row.maxParallelism !== settings.maxParallelism) {
    throw new JobFailedError(
      `ONCEFLOW_MAX_PARALLELISM=${settings.maxParallelism}: job ${row.job} was started with ${row.maxParallelism}, and key groups are fixed for the life of a job: set it back. To have another, write its state anew (onceflow state read, and onceflow state write with the new one), and start a job of another name from that`,
    );
  }
  const compatibility = checkCompatible(row.fingerprint, settings.fingerprint);
  if (compatibility.outcome === 'incompatible') {
    throw new JobFailedError(
      `job ${row.job} cannot go on with this graph: ${compatibility.differences.join('; ')}. Give back what was taken away, start from a savepoint and name what is left behind (--drop), or start a job of another name`,
    );
  }
}

/** Of a call that is never answered it is known at which value, only if the epoch still has time to say so. */
function checkCalls({ plan: { job, stages }, epochTimeoutMs }: JobSettings): void {
  const most = Math.floor(epochTimeoutMs / 2);
  for (const { id, longestCallMs = 0 } of stages)
    if (longestCallMs > most)
      throw new JobFailedError(
        `job ${job}: a mapAsync of stage ${id} has timeoutMs ${longestCallMs}, and it must be at most ${most}, half of ONCEFLOW_EPOCH_TIMEOUT_MS=${epochTimeoutMs}: give it less, or give epochs more`,
      );
}

/** Writes a blob, reads it and deletes it. One that a crash leaves is named like an exchange of epoch 0, and collected as that. */
async function tryBlobStore(
  { blobStore, random }: CoordinatorDeps,
  { job, incarnation }: Pick<JobRow, 'job' | 'incarnation'>,
): Promise<void> {
  const name = blobName({ job, incarnation, stage: 'start', subtask: 0, epoch: 0 }, 'exchange', random.id());
  const bytes = Buffer.from('written when the job was started');
  await blobStore.put(name, bytes);
  const read = await blobStore.get(name);
  await blobStore.delete([name]);
  if (!read.equals(bytes)) throw new JobFailedError(`blob ${name} was read back with other content than was written (ONCEFLOW_BLOBS)`);
}
