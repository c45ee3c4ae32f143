import { checkCompatible } from '../../graph/fingerprint.ts';
import type { JobRow, Savepoint } from '../../ports/epoch-store.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { StartedFrom } from '../../protocol/savepoint.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { openManifest } from '../decision/read-manifest.ts';
import { checkState } from './check-state.ts';
import { withoutDropped } from './dropped.ts';
import { asThisJobHasIt, underNewNames } from './new-names.ts';
import { withSourceOffsets } from './source-offsets.ts';
import type { StartAt } from './start-at.ts';
import { epochToStartAt, type Startable, savepointToStartAt } from './startable.ts';

/** A start from another epoch than the last, which was checked, and of which nothing is done yet. */
export interface PlannedStart {
  readonly from: Startable;
  /** What the new incarnation begins with: as it was, but for what is dropped, and for offsets that are others by request. */
  readonly manifest: Manifest;
  readonly incarnation: string;
  /** The row as it will be, as far as a start checks it. */
  readonly rowAfter: JobRow;
  /** What the graph has that the epoch has not: it starts empty. */
  readonly added: readonly string[];
  /** What goes on under another name. */
  readonly renamed: readonly string[];
}

/**
 * What a start from another epoch has to do; undefined: nothing, none was asked for or it was done before. Changes nothing. A schedule goes on with
 * what a job has; of one that has no epoch yet it does what the configuration says.
 *
 * @throws JobFailedError: it cannot be done, and why
 */
export async function planStart(
  deps: CoordinatorDeps,
  settings: JobSettings,
  row: JobRow,
  signal: AbortSignal,
): Promise<PlannedStart | undefined> {
  const { startAt } = settings;
  const isRevival = settings.startKind === 'revival';
  if (isRevival && row.lastCompleted !== undefined) {
    if (startAt !== undefined) await sayLeftAlone(deps, row, startAt, signal);
    return undefined;
  }
  if (startAt === undefined) {
    if (isRevival) await checkMeantAnew(deps, settings, signal);
    return undefined;
  }
  const from = await untilAnswered(deps, 'reading where to start from', () => findStart(deps, row, startAt), signal);
  if ('done' in from) {
    deps.observe({ event: 'start-passed-over', message: doneText(row, startAt, from.done) });
    return undefined;
  }
  const stored = await untilAnswered(deps, `reading the manifest of ${from.what}`, () => openManifest(deps, from.manifest), signal);
  // What is left behind is named as the graph of then names it.
  const dropped = withoutDropped(from, underNewNames(stored, from), startAt.drop, settings.plan);
  if (dropped.outcome === 'unknown') throw new JobFailedError(dropped.message);
  const { fingerprint } = dropped;
  const changes = checkGraph(from, fingerprint, settings);
  const named = asThisJobHasIt(dropped.manifest, fingerprint, settings);
  await checkState(deps, settings, { what: from.what, manifest: named, fingerprint, isOwn: false }, signal);
  checkWrittenAgain(row, from, startAt);
  const manifest = await withSourceOffsets(deps, settings, named, signal);
  const incarnation = deps.random.id().slice(0, 8);
  const rowAfter: JobRow = {
    ...row,
    ...{ incarnation, fingerprint, maxParallelism: from.maxParallelism },
    ...{ lastCompleted: { epoch: from.epoch, decisionId: from.decisionId }, lastCommitted: from.epoch },
  };
  return { from, manifest, incarnation, rowAfter, ...changes };
}

/**
 * What a person asked of a start that died before its first epoch nobody knows: a job that has savepoints may have been to go on from one. Its input
 * again, with empty state, would be another job.
 */
async function checkMeantAnew(deps: CoordinatorDeps, { job, onMissingState }: JobSettings, signal: AbortSignal): Promise<void> {
  if (onMissingState === 'start-anew') return;
  const all = await untilAnswered(deps, 'reading the savepoints', () => deps.epochs.listSavepoints(job), signal);
  const names = all.flatMap(({ name, standing }) => (standing === 'complete' || standing === 'unreadable' ? [name] : []));
  if (names.length > 0)
    throw new JobFailedError(
      `the start of job ${job} ended before its first epoch, and nobody can tell whether it was to be from a savepoint (it has ${names.join(', ')}): start it again, from one (--from NAME, ONCEFLOW_START_FROM) or anew`,
    );
}

/** Where to start, or the start by which this one was done, or passed over, before. */
async function findStart(
  { epochs }: CoordinatorDeps,
  row: JobRow,
  { at, once }: StartAt,
): Promise<Startable | { readonly done: StartedFrom }> {
  const starts = row.startedFrom ?? [];
  const delivered = once === undefined ? undefined : starts.find(({ id }) => id === once);
  if (delivered !== undefined) return { done: delivered };
  if ('epoch' in at) return epochToStartAt(epochs, row, at.epoch, once ?? '');
  const savepoint = await epochs.readSavepoint(row.job, at.savepoint);
  const done = once === undefined ? starts.findLast((each) => isOf(each, at.savepoint, savepoint)) : undefined;
  return done === undefined ? savepointToStartAt(epochs, row.job, at.savepoint, savepoint, once) : { done };
}

/** Was this start that of the configuration's savepoint, or one that has passed it over? Undefined: it was deleted since. */
function isOf({ id, savepoint: from, over }: StartedFrom, name: string, savepoint: Pick<Savepoint, 'id'> | undefined): boolean {
  return savepoint === undefined ? from === name || over?.name === name : id === savepoint.id || over?.id === savepoint.id;
}

function doneText({ job }: JobRow, { at, once }: StartAt, { savepoint, epoch, atMs }: StartedFrom): string {
  const then = `at ${new Date(atMs).toISOString()} from ${savepoint === undefined ? '' : `savepoint ${savepoint}, `}epoch ${epoch}`;
  if (once !== undefined || !('savepoint' in at))
    return `job ${job} was started by this request already, ${then}: it goes on from its last epoch`;
  const { savepoint: name } = at;
  return savepoint === name
    ? `ONCEFLOW_START_FROM=${name} was done already, ${then}: job ${job} goes on from its last epoch. "onceflow start --from ${name}" does it once more`
    : `ONCEFLOW_START_FROM=${name} is passed over, because job ${job} was started ${then} by hand since: it goes on from its last epoch. "onceflow start --from ${name}" starts there`;
}

/** A schedule starts nothing from elsewhere that has an epoch; who has configured it may wait for that. */
async function sayLeftAlone(deps: CoordinatorDeps, row: JobRow, { at }: StartAt, signal: AbortSignal): Promise<void> {
  if (!('savepoint' in at)) return;
  const name = at.savepoint;
  const savepoint = await untilAnswered(deps, 'reading where to start from', () => deps.epochs.readSavepoint(row.job, name), signal);
  if (row.startedFrom?.some((each) => isOf(each, name, savepoint)) === true) return;
  const message = `ONCEFLOW_START_FROM=${name} is not done yet: a schedule goes on from the last epoch of a job. To have job ${row.job} start from there, stop it, and start it ("onceflow start", or "onceflow run --start" where it runs as a process)`;
  deps.observe({ event: 'start-passed-over', message });
}

function checkGraph(from: Startable, fingerprint: string, settings: JobSettings): Pick<PlannedStart, 'added' | 'renamed'> {
  if (from.maxParallelism !== settings.maxParallelism)
    throw new JobFailedError(
      `ONCEFLOW_MAX_PARALLELISM=${settings.maxParallelism}: ${from.what} was made with ${from.maxParallelism}, by which its state is cut: set it to that. To have another, write its state anew: onceflow state read, and onceflow state write with the new one`,
    );
  const compatibility = checkCompatible(fingerprint, settings.fingerprint);
  if (compatibility.outcome === 'incompatible')
    throw new JobFailedError(
      `job ${settings.job} cannot start from ${from.what} with this graph: ${compatibility.differences.join('; ')}. Give back what was taken away, or name what is to be left behind, with its state (--drop UID, ONCEFLOW_START_DROP)`,
    );
  return compatibility.outcome === 'changed' ? compatibility : { added: [], renamed: [] };
}

function checkWrittenAgain(row: JobRow, from: Startable, { onWrittenAgain }: StartAt): void {
  const last = row.lastCompleted;
  if (onWrittenAgain === 'allow' || last === undefined) return;
  const isLast = row.incarnation === from.incarnation && last.epoch === from.epoch;
  if (isLast) return;
  const since =
    row.incarnation === from.incarnation
      ? `epochs ${from.epoch + 1} to ${last.epoch} were`
      : `the job has gone on since, to epoch ${last.epoch} of another incarnation, whose output was`;
  throw new JobFailedError(
    `a start from ${from.what} would write output again that readers have: ${since} committed. If that is meant, say so (--yes, or ONCEFLOW_ON_WRITTEN_AGAIN=allow)`,
  );
}
