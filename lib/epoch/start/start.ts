import { ofName } from '../../config/by-name.ts';
import { checkCompatible, formerUids } from '../../graph/fingerprint.ts';
import type { JobRow, Rescale } from '../../ports/epoch-store.ts';
import type { Manifest, SourceOffsets, TopicIds } from '../../protocol/manifest.ts';
import type { DecidedManifest } from '../../protocol/permit.ts';
import { commitEpoch } from '../commit/commit-epoch.ts';
import { widestPool } from '../commit/run-sinks.ts';
import { settlePool } from '../commit/settle-pool.ts';
import {
  type CoordinatorDeps,
  JobFailedError,
  type JobSettings,
  StartRefusedError,
  sourceStages,
  type Tenure,
} from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { decideManifest } from '../decision/decide-manifest.ts';
import { nextManifest } from '../decision/position.ts';
import { readManifest } from '../decision/read-manifest.ts';
import { fenced } from '../lease/fenced.ts';
import { type Held, ownRow, recordCommitted, recordPool, writeHeld } from '../lease/held.ts';
import { topicIdsAfter } from '../planning/plan.ts';
import { askedUnderNewNames, firstScale, type Scale } from '../scale/scale.ts';
import { startOfSource } from './ask-starting-offsets.ts';
import { checkStart } from './check-start.ts';
import { checkState } from './check-state.ts';
import { mayStart } from './may-start.ts';
import { asThisJobHasIt } from './new-names.ts';

/** Where a coordinator goes on from. */
export interface Standing {
  readonly tenure: Tenure;
  readonly scale: Scale;
  /** The manifest of the last completed epoch; everything up to it is COMMITTED. */
  readonly parent: DecidedManifest;
  /** What the job row records as COMMITTED. */
  readonly recordedCommitted: number;
}

/**
 * Takes the lease: raises the generation before anything else is read, so that from here on no older coordinator can
 * write. An explicit start makes the row when there is none. `mayTakeOver` is asked before a job is taken from another coordinator,
 * which works. Throws `StartRefusedError` when it would take over and must not, and when a revival finds nothing to revive.
 */
export async function takeLease(
  deps: CoordinatorDeps,
  settings: JobSettings,
  mayTakeOver: (from: JobRow) => Promise<void>,
  signal: AbortSignal,
): Promise<JobRow> {
  const { job, holder, startKind = 'explicit', takeover = 'allow', deadHolders, holderEndsAtMs, startAt, afterStops } = settings;
  const explicit = startKind === 'explicit';
  // From elsewhere than its last epoch: until the job has moved on it stays as stopped, or failed, as it was. If this one dies, nobody goes on where
  // the job was, which nobody has asked for.
  const letsRun = explicit && startAt === undefined;
  for (;;) {
    const known = await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(job), signal);
    if (known === undefined && afterStops !== undefined)
      throw new StartRefusedError(`job ${job} is not started again: it was deleted since this start was first tried`);
    if (known === undefined && explicit) {
      const row = newRow(deps, settings, deps.clock.now() + settings.leaseMs);
      if ((await untilAnswered(deps, 'creating the job row', () => deps.epochs.createJob(row), signal)) === 'created') return row;
      continue;
    }
    const may = mayStart(known, deps.clock.now(), startKind, takeover, deadHolders);
    if (may.outcome === 'refused') throw new StartRefusedError(may.message);
    if (known === undefined) throw new Error(`job ${job} has no row, and a revival may start it`);
    if (may.outcome === 'takes-over') {
      await mayTakeOver(known);
      deps.observe({ event: 'takes-over', message: may.message });
    }
    // Now, for the checks before a takeover take their time: nobody takes a lease that is over already.
    const expiresAtMs = deps.clock.now() + settings.leaseMs;
    if (letsRun && takeover === 'allow')
      return untilAnswered(deps, 'taking the lease', () => deps.epochs.raiseGeneration(job, holder, expiresAtMs, holderEndsAtMs), signal);
    // Only from the generation that was seen without a live lease: of two that start at once, one finds the other's. A revival only
    // while the row says what it said: it starts nothing that a person has stopped since it looked, or that has failed since.
    const of = [job, known, holder, expiresAtMs, holderEndsAtMs] as const;
    const take = () => (letsRun ? deps.epochs.startGeneration(...of) : deps.epochs.reviveGeneration(...of));
    const taken = await untilAnswered(deps, 'taking the lease', take, signal);
    if (taken !== undefined) return taken;
  }
}

/**
 * The same row, of a job that is to run: of a start that has nothing else to do than to go on. A stop that was asked for since the job was taken, or
 * since this start was first tried, stays.
 */
export async function letRun(deps: CoordinatorDeps, settings: JobSettings, row: JobRow, signal: AbortSignal): Promise<JobRow> {
  if (settings.startKind === 'revival' || (row.desired === 'running' && row.failure === undefined)) return row;
  const { job, generation } = row;
  const afterStops = stopsBefore(settings, row);
  fenced(settings, await untilAnswered(deps, 'letting the job run', () => deps.epochs.letRun(job, generation, afterStops), signal));
  const after = ownRow(settings, row, await untilAnswered(deps, 'reading the job row', () => deps.epochs.readJob(job), signal));
  // It was stopped since this start was first tried, and started by somebody else, of which it has failed.
  if (after.desired === 'running' && after.failure !== undefined) throw new JobFailedError(after.failure);
  return after;
}

/** How often the job had been asked to stop when this start took it, or one that it tries again. */
export function stopsBefore({ afterStops }: Pick<JobSettings, 'afterStops'>, { stops = 0 }: Pick<JobRow, 'stops'>): number {
  return afterStops ?? stops;
}

function newRow(deps: CoordinatorDeps, settings: JobSettings, leaseExpiresAtMs: number): JobRow {
  return {
    job: settings.job,
    incarnation: deps.random.id().slice(0, 8),
    generation: 1,
    holder: settings.holder,
    leaseExpiresAtMs,
    holderEndsAtMs: settings.holderEndsAtMs,
    desired: 'running',
    failure: undefined,
    lastCompleted: undefined,
    lastCommitted: 0,
    retiredThrough: -1,
    pool: {},
    fingerprint: settings.fingerprint,
    maxParallelism: settings.maxParallelism,
  };
}

/**
 * From the lease to a state from which epochs can run (docs/protocol.md): checks, then commits what is decided, then
 * settles whatever sinks may have left open, then stores the starting offsets of sources that have none.
 */
export async function recover(deps: CoordinatorDeps, settings: JobSettings, row: JobRow, signal: AbortSignal): Promise<Standing> {
  const sinkFacts = await checkStart(deps, settings, row, signal);
  const completed = row.lastCompleted;
  const last =
    completed === undefined
      ? undefined
      : await untilAnswered(deps, `reading the manifest of epoch ${completed.epoch}`, () => readManifest(deps, row, completed), signal);
  const named = last && asThisJobHasIt(last, row.fingerprint, settings);
  await checkGoesOn(deps, settings, row, named, signal);
  const rescale = await askedByHand(deps, settings, row, signal);
  const scale = firstScale(settings, named, { ...row, rescale });
  const tenure: Tenure = {
    generation: row.generation,
    incarnation: row.incarnation,
    sinkFacts,
    pool: widestPool(deps, settings, scale.target, row.pool),
  };
  const held: Held<JobSettings> = { deps, settings, tenure, signal };
  const { job, fingerprint } = settings;
  if (row.fingerprint !== fingerprint)
    await writeHeld(held, 'recording the changed graph', (generation) => deps.epochs.setFingerprint(job, generation, fingerprint));

  let republished = 0;
  if (last !== undefined && row.lastCommitted < last.epoch) {
    republished = (await commitEpoch(held, last, { recorded: row.sentAgain, isOld: true })).republished;
    await recordCommitted(held, last.epoch);
  }
  await recordPool(held, tenure.pool);
  const settledIds = await settlePool(held);
  const parent = await withStartingOffsets(held, last, named);
  const committed = last?.epoch ?? 0;
  deps.observe({
    event: 'recovered',
    epoch: committed,
    committed: last === undefined ? 0 : last.committables.length,
    republished,
    settledIds,
  });
  return { tenure, scale, parent, recordedCommitted: parent === last ? committed : parent.epoch };
}

/** What a person asked for, in the row too, by the names that stages have now. */
async function askedByHand(
  deps: CoordinatorDeps,
  { job, plan, fingerprint }: JobSettings,
  { incarnation, rescale }: JobRow,
  signal: AbortSignal,
): Promise<Rescale | undefined> {
  if (rescale === undefined) return undefined;
  const subtasks = askedUnderNewNames(rescale.subtasks, plan, formerUids(fingerprint));
  if (subtasks === undefined) return rescale;
  const renamed = { ...rescale, id: deps.random.id(), subtasks };
  const write = () => deps.epochs.askRescale(job, incarnation, renamed, rescale.id);
  const written = await untilAnswered(deps, 'writing what was asked for by hand under new names', write, signal);
  // Somebody has asked anew meanwhile: that is read as any request is.
  return written === 'written' ? renamed : rescale;
}

/** Nothing of the last epoch is left behind, and all of it can be read; what a changed graph adds and renames is said. */
async function checkGoesOn(
  deps: CoordinatorDeps,
  settings: JobSettings,
  { fingerprint }: JobRow,
  last: Manifest | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (last === undefined) return;
  const isOwn = fingerprint === settings.fingerprint;
  await checkState(deps, settings, { what: `epoch ${last.epoch}`, manifest: last, fingerprint, isOwn }, signal);
  const compatibility = checkCompatible(fingerprint, settings.fingerprint);
  if (compatibility.outcome === 'changed')
    deps.observe({ event: 'graph-changed', added: compatibility.added, renamed: compatibility.renamed });
}

/**
 * Starting offsets, resolved to numbers once and decided as an epoch of their own (epoch 0 of a new job) before the
 * first fetch: otherwise a crash before the next decision would resolve `latest` again and skip records. So is what has another name
 * now than in the last epoch: `named` is that one under the names of now.
 */
async function withStartingOffsets(
  held: Held<JobSettings>,
  last: DecidedManifest | undefined,
  named: Manifest | undefined,
): Promise<DecidedManifest> {
  const { deps, settings, tenure } = held;
  const unread = sourceStages(settings).filter(({ id, topic }) => ofName(ofName(named?.offsets, id), topic) === undefined);
  if (last !== undefined && last === named && unread.length === 0) return last;
  let offsets: SourceOffsets = named?.offsets ?? {};
  let topicIds: TopicIds = named?.topicIds ?? {};
  for (const source of unread) {
    const { id, topic } = source;
    const { topicId, numbers } = await startOfSource(deps, settings, source, held.signal);
    topicIds = topicIdsAfter(topicIds, [{ stage: source, id: topicId }]);
    offsets = { ...offsets, [id]: { ...ofName(offsets, id), [topic]: numbers } };
  }
  const nowMs = deps.clock.now();
  const manifest = nextManifest({ job: settings.job, incarnation: tenure.incarnation }, last, {
    epoch: last === undefined ? 0 : last.epoch + 1,
    decisionId: deps.random.id(),
    position: { offsets, topicIds, state: named?.state ?? {}, time: named?.time },
    outputs: {},
    committables: [],
    parallelism: named?.parallelism,
  });
  const summary = { plannedAtMs: nowMs, decidedAtMs: nowMs, attempts: 1, recordsIn: 0, recordsOut: 0 };
  const decided = await decideManifest(held, manifest, summary);
  // It has no output, so it is COMMITTED with its decision.
  await recordCommitted(held, manifest.epoch);
  deps.observe({ event: 'starting-offsets', epoch: manifest.epoch, offsets });
  return decided;
}
