import type { CoordinatorDeps, CoordinatorEnd } from '../../../lib/epoch/coordinator/context.ts';
import { coordinate } from '../../../lib/epoch/coordinator/coordinator.ts';
import { awaitTurn } from '../../../lib/epoch/lease/await-turn.ts';
import type { HeldAs } from '../../../lib/epoch/lease/held.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { StartKind } from '../../../lib/epoch/start/may-start.ts';
import type { Standby } from '../../../lib/epoch/start/revival.ts';
import type { StartAt } from '../../../lib/epoch/start/start-at.ts';
import type { EpochStore } from '../../../lib/ports/epoch-store.ts';
import { coordinateSinks } from '../../../lib/sinks/connectors.ts';
import { SimProcess } from '../kernel/process.ts';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import { checkSettled, checkStopStands, isOwn, isPoisonStop, isRightStop } from './ends.ts';
import { invokerFor } from './functions.ts';
import { portsOf } from './ports.ts';
import { settingsOf } from './settings.ts';

/** How long a tick may wait for its turn. */
const PATIENCE_MS = 90_000;
/** A start from a savepoint that is not there, or goes meanwhile, is none. */
const SAVEPOINT_GONE =
  /^job \S+ has no savepoint|^savepoint .* is being deleted$|^savepoint .* is not there any more|^the start of job \S+ ended before its first epoch/;

export interface RunningCoordinator {
  readonly process: SimProcess;
  readonly holder: string;
  readonly stop: AbortController;
  readonly handOver: AbortController;
  ended: boolean;
  /** It is to start from a savepoint, and has not done so: the job may go back yet. */
  goesBack: boolean;
  readonly beganMs: number;
  tenure: HeldAs;
  readonly startAt: StartAt | undefined;
  /** How often the job had been asked to stop when its start was first tried. */
  stops: number | undefined;
  /** Was the job not to run when it took the lease? */
  wasStopped: boolean;
  /** When it took the lease, and when it was told to end. */
  leaseTakenMs: number;
  endingMs: number;
}

export interface CoordinatorStart {
  readonly startKind: StartKind;
  readonly standby: Standby;
  readonly startAt?: StartAt | undefined;
  /** Of a start that is tried again: as often the job had been asked to stop when it was first tried. */
  readonly afterStops?: number | undefined;
  /** The start of this one, which the platform delivers twice. */
  readonly namesake?: string;
}

/** Starts a coordinator beside those that run, if any. */
export function startCoordinator(world: World, { startKind, standby, startAt, afterStops, namesake }: CoordinatorStart): SimProcess {
  const number = world.coordinators.length + 1;
  const name = `coordinator#${number}`;
  const process = new SimProcess(name, 'coordinator', world.build, world.newClock(name));
  const ports = portsOf(world, process);
  const holder = namesake ?? name;
  const settings = settingsOf(world, number, holder, startAt);
  world.checker.transactions.words.set(name, settings.onMissingEvidence);
  const running: RunningCoordinator = {
    process,
    holder,
    stop: new AbortController(),
    handOver: new AbortController(),
    ended: false,
    goesBack: startAt !== undefined,
    startAt,
    stops: afterStops,
    wasStopped: false,
    beganMs: world.scheduler.nowMs,
    tenure: { incarnation: '', generation: 0 },
    leaseTakenMs: 0,
    endingMs: 0,
  };
  world.coordinators.push(running);
  const deps: CoordinatorDeps = {
    ...ports,
    epochs: { ...ports.epochs, ...watchedCollections(world, process, ports.epochs) },
    sinks: coordinateSinks(ports, {
      deliveryGuarantee: world.options.delivery?.(number) ?? 'exactly-once',
      transactionTimeoutMs: world.options.settings.transactionTimeoutMs ?? 25_000,
    }),
    invoker: invokerFor(world, process),
    observe: (event) => observe(world, running, event),
  };
  world.trace(name, () => `starts, build ${settings.build}, parallelism ${JSON.stringify(settings.parallelism)}`);
  const coordinated = () =>
    coordinate(deps, { ...settings, startKind, afterStops }, { stop: running.stop.signal, handOver: running.handOver.signal });
  const run =
    startKind === 'explicit'
      ? coordinated()
      : awaitTurn(deps, { ...settings, standby }, PATIENCE_MS, running.handOver.signal).then((turn) =>
          turn.turn === 'mine' ? coordinated() : { end: 'refused' as const, message: turn.message },
        );
  run.then(
    (end) => takeEnd(world, running, end),
    (error: unknown) =>
      process.alive && world.checker.fail('I6', `coordinate threw: ${error instanceof Error ? error.stack : String(error)}`),
  );
  return process;
}

/** What a collection reads first says that it begins: what the one before has left is looked at then. */
function watchedCollections(world: World, process: SimProcess, epochs: EpochStore): Pick<EpochStore, 'readJob' | 'listEpochs'> {
  const { checker, scheduler, network } = world;
  const hasTrouble = (sinceMs: number) =>
    network.injected.some(({ call, fault }) => {
      const lastsMs = 'forMs' in fault ? fault.forMs : 'byMs' in fault ? Math.abs(fault.byMs) : 0;
      return call.atMs + lastsMs >= sinceMs && (call.caller === process || fault.fault === 'outage');
    });
  return {
    readJob(job) {
      checker.leftovers.takeLook(process.name, scheduler.nowMs);
      return epochs.readJob(job);
    },
    listEpochs(job, incarnation, after) {
      // Of an incarnation that the job has left it is asked for at the end of a collection.
      if (incarnation === world.table.row(JOB)?.incarnation) checker.leftovers.takeCollection(process.name, scheduler.nowMs, hasTrouble);
      return epochs.listEpochs(job, incarnation, after);
    },
  };
}

export function endCoordinator(world: World, running: RunningCoordinator, how: AbortController): void {
  world.scheduler.after(0, running.process, () => {
    // What another process opens after it was told first is not its business.
    if (running.endingMs === 0) running.endingMs = world.scheduler.nowMs;
    how.abort();
  });
}

function observe(world: World, running: RunningCoordinator, event: CoordinatorEvent): void {
  if (!running.process.alive) return;
  world.observed.push(event);
  if (event.event === 'lease-taken') {
    running.leaseTakenMs = world.scheduler.nowMs;
    running.stops ??= event.stops;
    running.wasStopped = world.table.row(JOB)?.desired === 'stopped';
    running.tenure = { incarnation: event.incarnation, generation: event.generation };
  }
  if (event.event === 'started-from') running.tenure = { ...running.tenure, incarnation: event.incarnation };
  if (event.event === 'data-loss') world.checker.takeDataLoss(running.tenure, event);
  if (event.event === 'attempt-failed') world.checker.takeFailedAttempt(running.tenure, event.epoch);
  if (event.event === 'recovered') running.goesBack = false;
  if (event.event === 'recovered') checkStopStands(world, running);
  if (event.event === 'recovered') checkSettled(world, running.process, 'its recovery', running.leaseTakenMs);
  world.trace(running.process.name, () => `* ${JSON.stringify(event)}`);
}

function takeEnd(world: World, running: RunningCoordinator, end: CoordinatorEnd): void {
  const { process } = running;
  if (!process.alive) return;
  running.ended = true;
  process.alive = false;
  world.ends.push(end);
  // The build before an update that added a source: there is no way back.
  if (end.end === 'failed' && process.build !== world.build && /cannot (go on|start from .*) with this graph/.test(end.message)) return;
  const row = world.table.row(JOB);
  const holds = row !== undefined && row.holder === running.holder && isOwn(running.tenure, row);
  const graceful = end.message === `job ${JOB} stopped` || end.message === `job ${JOB} handed over`;
  if (graceful && holds) checkSettled(world, process, `its end (${end.end})`, running.endingMs);
  if (end.end !== 'failed' || SAVEPOINT_GONE.test(end.message)) return;
  if (isPoisonStop(world, end.message)) return world.code.mend();
  if (isRightStop(world, process.name, end.message, running.beganMs) || !holds) return;
  if (world.options.mayFail?.test(end.message) === true) world.phase = 'stopping';
  else world.checker.fail('I6', `the job failed: ${end.message}`);
}
