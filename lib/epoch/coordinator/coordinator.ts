import type { JobRow } from '../../ports/epoch-store.ts';
import { holdLease, type Lease } from '../lease/hold-lease.ts';
import type { CoordinatorEvent } from '../progress/events.ts';
import { watchProgress } from '../progress/progress-watch.ts';
import { beginIncarnation, leaveIncarnation } from '../start/begin-incarnation.ts';
import { checkTakeover } from '../start/check-start.ts';
import { takenOverBy } from '../start/may-start.ts';
import { planStart } from '../start/plan-start.ts';
import { letRun, recover, stopsBefore, takeLease } from '../start/start.ts';
import { watchForStop } from '../start/watch-for-stop.ts';
import {
  type CoordinatorDeps,
  type CoordinatorEnd,
  JobFailedError,
  type JobSettings,
  LeftToNextError,
  StartRefusedError,
  SupersededError,
} from './context.ts';
import { runEpochs } from './epoch-loop.ts';

export interface CoordinatorSignals {
  /** Finish what is under way, commit it, settle every transaction, give up the lease; the job is not revived. */
  readonly stop: AbortSignal;
  /** The same, because this coordinator's time is up: the next one goes on. */
  readonly handOver: AbortSignal;
}

/**
 * Runs the job until it is told to end, is superseded, or fails: takes the lease, recovers, then runs epochs. All I/O on
 * behalf of the engine's decisions is awaited here and in the folders beside this one; what is decided is decided by pure functions.
 */
export async function coordinate(given: CoordinatorDeps, settings: JobSettings, signals: CoordinatorSignals): Promise<CoordinatorEnd> {
  const ending = AbortSignal.any([signals.stop, signals.handOver]);
  const takenMs = given.clock.elapsedMs();
  let end: CoordinatorEnd;
  let held: { readonly generation: number; readonly lease: Lease } | undefined;
  try {
    const taken = await takeLease(given, settings, (from) => checkTakeover(given, settings, from, ending), ending);
    const { generation } = taken;
    held = { generation, lease: holdLease(given, settings, generation, takenMs) };
    const progress = watchProgress(given, settings, generation);
    const observe = (event: CoordinatorEvent) => {
      progress.hear(event);
      given.observe(event);
    };
    // A tick goes on with a job that ran; a person who starts one is told at once.
    const atStart = settings.startKind === 'revival' ? settings.refusalTimeoutMs : 0;
    const deps: CoordinatorDeps = { ...given, observe, refusalTimeoutMs: atStart };
    observe({
      event: 'lease-taken',
      generation,
      incarnation: taken.incarnation,
      lastCompleted: taken.lastCompleted?.epoch,
      lastCommitted: taken.lastCommitted,
      stops: taken.stops ?? 0,
    });
    const afterStops = stopsBefore(settings, taken);
    let row: JobRow = taken;
    const planned = await planStart(deps, settings, row, ending);
    if (planned === undefined) row = await letRun(deps, settings, row, ending);
    else {
      const leave = (leaving: AbortSignal) => progress.during(leaveIncarnation(deps, settings, taken, planned, leaving));
      await untilLeft({ given, settings, afterStops }, row, leave, [ending, held.lease.lost]).catch(undone(taken));
      // A renewal that is under way would be of the incarnation before.
      await held.lease.end();
      const begunMs = given.clock.elapsedMs();
      row = await beginIncarnation(deps, settings, row, planned, ending).catch(undone(taken));
      held = { generation, lease: holdLease(given, settings, generation, begunMs) };
    }
    const { lease } = held;
    const own = row;
    const recovers = (leaving: AbortSignal) => progress.during(recover(deps, settings, own, leaving));
    const standing = await untilLeft({ given, settings, afterStops }, own, recovers, [ending, lease.lost]);
    const running = { ...deps, refusalTimeoutMs: settings.refusalTimeoutMs };
    const asked = await runEpochs(running, settings, standing, { lease, progress }, ending);
    if (asked === 'stop-requested' || signals.stop.aborted) end = { end: 'stopped', message: `job ${settings.job} stopped` };
    else if (asked === 'idle') end = { end: 'handed-over', message: `job ${settings.job} has no input: the next tick looks again` };
    else end = { end: 'handed-over', message: `job ${settings.job} handed over` };
  } catch (error) {
    // What fails in one that another has taken over from fails for that.
    end = endOf(held?.lease.lost.aborted === true ? held.lease.lost.reason : error, settings);
  }
  if (held !== undefined) {
    await held.lease.end();
    if (end.end === 'superseded') end = { ...end, message: await nameSuccessor(given, settings, held.generation, end.message) };
    else await giveUpLease(given, settings, held.generation, { ...end, isToldToStop: signals.stop.aborted });
  }
  given.observe({ event: 'ended', end: end.end, message: end.message });
  return end;
}

/** Does a part of a start, which ends early also when the job has been asked to stop since that began, for long enough. */
async function untilLeft<T>(
  { given, settings, afterStops }: { readonly given: CoordinatorDeps; readonly settings: JobSettings; readonly afterStops: number },
  row: JobRow,
  work: (leaving: AbortSignal) => Promise<T>,
  ends: readonly AbortSignal[],
): Promise<T> {
  const stopWatch = watchForStop(given, settings, row, afterStops);
  return work(AbortSignal.any([...ends, stopWatch.lasts])).finally(stopWatch.end);
}

/** Nobody comes next of a start from elsewhere of a job that rests: who asked for it has to ask again. */
function undone({ job, desired, failure }: JobRow): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof LeftToNextError) || (desired === 'running' && failure === undefined)) throw error;
    throw new JobFailedError(`job ${job} was not started, and is as it was: ask again (${error.message})`, { cause: error });
  };
}

function endOf(error: unknown, settings: JobSettings): CoordinatorEnd {
  if (error instanceof SupersededError) return { end: 'superseded', message: error.message };
  if (error instanceof StartRefusedError) return { end: 'refused', message: error.message };
  if (error instanceof LeftToNextError) return { end: 'handed-over', message: error.message };
  if (error instanceof JobFailedError) return { end: 'failed', message: error.message };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { end: 'failed', message: `job ${settings.job}: unexpected failure of the coordinator: ${text}` };
}

/** Says who took over, if the store says so. */
async function nameSuccessor(deps: CoordinatorDeps, settings: JobSettings, generation: number, otherwise: string): Promise<string> {
  const row = await deps.epochs.readJob(settings.job).catch(() => undefined);
  if (row === undefined || row.generation === generation) return otherwise;
  return takenOverBy(row, { generation, holder: settings.holder }, deps.clock.now());
}

async function giveUpLease(
  deps: CoordinatorDeps,
  settings: JobSettings,
  generation: number,
  { end, message, isToldToStop }: CoordinatorEnd & { readonly isToldToStop: boolean },
): Promise<void> {
  // A stop that was asked for in the row is there already, unless it was withdrawn since: then the job is to run.
  const desired = end === 'stopped' && isToldToStop ? 'stopped' : 'as-it-is';
  try {
    await deps.epochs.releaseLease(settings.job, generation, { desired, failure: end === 'failed' ? message : undefined });
  } catch (error) {
    deps.observe({
      event: 'warning',
      message: `the lease could not be given up (it expires by itself): ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}
