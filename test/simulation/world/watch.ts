import { START_MS } from '../kernel/process.ts';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import { endCoordinator } from './coordinators.ts';

export const WATCH_MS = 1_000;

/** What keeps a job running in a deployment: somebody starts a coordinator when none is at work. It stops the job when it has caught up. */
export function watch(world: World): void {
  const { scheduler, coordinators, options } = world;
  const { faultsUntilMs, input, ending, watch: watched = { how: 'explicit' } } = options;
  if (
    world.phase === 'faults' &&
    scheduler.nowMs >= faultsUntilMs &&
    input.every(({ atMs, endsAfterMs }) => atMs + endsAfterMs < scheduler.nowMs)
  ) {
    world.phase = 'catching-up';
    world.trace('world', () => 'no more faults');
  }
  if (world.phase === 'stopping') return;
  const row = world.table.row(JOB);
  // Without a row: not made yet, if nobody can have deleted it.
  const held = row === undefined ? world.commands.length === 0 : leaseHolds(row.leaseExpiresAtMs, scheduler.nowMs);
  const working = coordinators.some(({ process, ended }) => process.alive && !ended && (held || process.frozenUntilMs <= scheduler.nowMs));
  if (world.phase === 'catching-up') replaceBuilds(world);
  if (
    world.phase === 'catching-up' &&
    world.checker.caughtUp(world.sources()) &&
    !coordinators.some(({ process, ended, goesBack }) => goesBack && process.alive && !ended) &&
    !mayBeginAnew(world) &&
    (ending === 'stop' || world.broker.transactions.open().length === 0)
  ) {
    world.phase = 'stopping';
    world.trace('world', () => 'caught up: the job is stopped');
    for (const running of coordinators) endCoordinator(world, running, running.stop);
    return;
  }
  const revives = watched.how === 'revival' && row?.desired === 'running' && row.failure === undefined;
  if (revives) world.startCoordinator('revival', watched.standby);
  else if (triesAgain(world)) startAgain(world);
  else if (!working && scheduler.nowMs >= world.leftAloneUntilMs) world.startCoordinator();
  scheduler.after(revives ? watched.everyMs : WATCH_MS, undefined, () => watch(world));
}

/** A local runner has seen its coordinator die in a start from a savepoint. It tries that again, whatever people have asked for meanwhile. */
function triesAgain({ phase, coordinators, options }: World): boolean {
  const last = coordinators.at(-1);
  return options.triesStartsAgain === true && phase === 'faults' && last?.goesBack === true && !last.process.alive && !last.ended;
}

function startAgain(world: World): void {
  if (world.dice.chance(0.3)) world.startCommand('stop');
  world.startAgain();
}

/** While somebody deletes the job, a coordinator that does not hold it yet may come after the deletion, and makes it anew: with all to read. */
function mayBeginAnew({ deletions, coordinators }: World): boolean {
  const isDeleting = deletions.some(({ alive }) => alive);
  return isDeleting && coordinators.some(({ process, ended, tenure }) => process.alive && !ended && tenure.generation === 0);
}

/** What a deployment does in the end. */
function replaceBuilds(world: World): void {
  world.functions.replaceBuilds(world.build);
  // One whose functions all are of another build notices, but not that there is a source it has never heard of.
  for (const running of world.coordinators)
    if (world.options.job.grows && running.process.build !== world.build && running.endingMs === 0)
      endCoordinator(world, running, running.handOver);
}

function leaseHolds(expiresAtMs: number, nowMs: number): boolean {
  return expiresAtMs - START_MS > nowMs;
}
