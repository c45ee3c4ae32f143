import { type ConfigOf, configOf } from '../lib/config/parameters.ts';
import type { CoordinatorEnd, JobSettings } from '../lib/epoch/coordinator/context.ts';
import { coordinate } from '../lib/epoch/coordinator/coordinator.ts';
import { restartStrategyOf } from '../lib/epoch/failure/restart.ts';
import { awaitTurn } from '../lib/epoch/lease/await-turn.ts';
import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';
import { type StartKind, tooLate } from '../lib/epoch/start/may-start.ts';
import type { StartAt } from '../lib/epoch/start/start-at.ts';
import { fingerprint } from '../lib/graph/fingerprint.ts';
import { describeGraph } from '../lib/graph/graph.ts';
import { momentOf } from '../lib/ports/age.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';
import { coordinateSinks } from '../lib/sinks/connectors.ts';
import { holderOfProcess } from './holder.ts';
import { connectFunction } from './kafka.ts';
import { type Host, openHost } from './process.ts';
import { openSinkTargets } from './sink-targets.ts';
import { openEpochStore } from './stores.ts';
import { systemClock } from './system.ts';

export interface CoordinatorRun {
  /** How stage functions are called: child processes on one machine, Lambda in a deployment. */
  readonly invoker: (host: Host, observe: Observe) => FunctionInvoker | Promise<FunctionInvoker>;
  /** Who is told what the coordinator does. */
  readonly observer: (host: Host) => Observe;
  readonly stop: AbortSignal;
  readonly handOver: AbortSignal;
  /** @default an explicit start, of a process that does not end by itself */
  readonly term?: Term;
}

type Observe = (event: CoordinatorEvent) => void;

/** Of a coordinator that a platform starts, for so long. */
export interface Term {
  readonly startKind: StartKind;
  /** Who it is, for people. */
  readonly holder: string;
  /** Of a revival: holders that are known to have died. @default none is */
  readonly deadHolders?: readonly string[];
  /** When `handOver` will come, from now on. @default nobody knows, and it waits for no turn */
  readonly endsInMs?: number;
  /** When an explicit start was asked for, in milliseconds since the Unix epoch; undefined: nobody said. */
  readonly askedAtMs?: number | undefined;
  /** Of an explicit start: from where. @default what ONCEFLOW_START_FROM says, or the last epoch */
  readonly startAt?: StartAt | undefined;
}

/** A tick that waits for its turn leaves itself at least this long to work. */
const LEAST_TENURE_MS = 5_000;

/** Runs the job's coordinator until it ends. @throws ConfigError, JobDefinitionError: nothing was started. */
export async function runCoordinator(run: CoordinatorRun): Promise<CoordinatorEnd> {
  const began = momentOf(systemClock);
  const host = await openHost(process.env);
  const { term } = run;
  const observe = run.observer(host);
  const settings = {
    ...settingsOf(host),
    ...(term && { startKind: term.startKind, holder: term.holder, deadHolders: term.deadHolders }),
    ...(term?.startAt !== undefined && { startAt: term.startAt }),
    ...(term?.endsInMs !== undefined && { holderEndsAtMs: began.wallMs + term.endsInMs }),
  };
  const late = term?.askedAtMs === undefined ? undefined : tooLate(term.askedAtMs, began.wallMs);
  if (late !== undefined) {
    observe({ event: 'ended', end: 'refused', message: late });
    return { end: 'refused', message: late };
  }
  const epochs = await openEpochStore(host.config);
  if (term?.startKind === 'revival') {
    const patienceMs = (term.endsInMs ?? 0) - (host.clock.elapsedMs() - began.elapsedMs) - LEAST_TENURE_MS;
    const turn = await awaitTurn({ epochs, clock: host.clock, random: host.random, observe }, settings, patienceMs, run.handOver);
    if (turn.turn === 'not-needed') return { end: 'refused', message: turn.message };
  }
  // A person who starts the job is told at once that its login is refused; a tick waits until the brokers take it.
  const onRefusedLogin = term?.startKind === 'revival' ? 'wait' : 'fail';
  const [kafka, invoker] = await Promise.all([connectFunction(host, onRefusedLogin), run.invoker(host, observe)]);
  try {
    const sinks = coordinateSinks({ ...host, kafka, targets: openSinkTargets() }, configOf('coordinator', host.config));
    return await coordinate({ ...host, kafka, sinks, epochs, invoker, observe }, settings, { stop: run.stop, handOver: run.handOver });
  } finally {
    await kafka.close();
  }
}

function settingsOf({ config, job, plan, parallelism }: Host): JobSettings & ConfigOf<'coordinator'> {
  const own = configOf('coordinator', config);
  return {
    ...own,
    job: job.name,
    build: config.buildId,
    holder: holderOfProcess(process.pid),
    plan,
    fingerprint: fingerprint(describeGraph(job)),
    groupId: own.groupId ?? job.name,
    restart: restartStrategyOf(own),
    startAt: configuredStart(own),
    parallelism,
  };
}

function configuredStart({ startFrom, startDrop, onWrittenAgain }: ConfigOf<'coordinator'>): StartAt | undefined {
  return startFrom === undefined ? undefined : { at: { savepoint: startFrom }, drop: startDrop, onWrittenAgain };
}
