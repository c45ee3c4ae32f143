import { type ConfigOf, configOf } from '../lib/config/parameters.ts';
import type { CoordinatorEnd, JobSettings } from '../lib/epoch/coordinator/context.ts';
import { coordinate } from '../lib/epoch/coordinator/coordinator.ts';
import { restartStrategyOf } from '../lib/epoch/failure/restart.ts';
import { awaitTurn } from '../lib/epoch/lease/await-turn.ts';
import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';
import { type StartKind, type Takeover, tooLate } from '../lib/epoch/start/may-start.ts';
import type { StartAt } from '../lib/epoch/start/start-at.ts';
import { fingerprint } from '../lib/graph/fingerprint.ts';
import { describeGraph } from '../lib/graph/graph.ts';
import { momentOf } from '../lib/ports/age.ts';
import type { EpochStore } from '../lib/ports/epoch-store.ts';
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

/** Of a coordinator that a platform starts, for so long, or that a process starts again and again. */
export interface Term {
  readonly startKind: StartKind;
  /** Of an explicit start. @default what the configuration says */
  readonly takeover?: Takeover;
  /** Of a revival: it waits for its turn while another one works, as long as a tick that stands by. @default as the configuration says */
  readonly standsBy?: boolean;
  /** Who it is, for people. */
  readonly holder: string;
  /** Of a revival: holders that are known to have died. @default none is */
  readonly deadHolders?: readonly string[];
  /** When `handOver` will come, from now on. @default nobody knows, and it waits for no turn */
  readonly endsInMs?: number;
  /** When an explicit start was asked for, in milliseconds since the Unix epoch; undefined: nobody said. */
  readonly askedAtMs?: number | undefined;
  /** Of an explicit start that is tried again: how often the job had been asked to stop when it was first tried. @default it is the first */
  readonly afterStops?: number | undefined;
  /** Of an explicit start: from where. @default what ONCEFLOW_START_FROM says, or the last epoch */
  readonly startAt?: StartAt | undefined;
}

/** A tick that waits for its turn leaves itself at least this long to work. */
const LEAST_TENURE_MS = 5_000;

/** What a coordinator is run with, opened once in a process. */
export interface OpenedCoordinator {
  readonly host: Host;
  readonly epochs: EpochStore;
}

/** @throws ConfigError, JobDefinitionError */
export async function openCoordinator(env: NodeJS.ProcessEnv): Promise<OpenedCoordinator> {
  const host = await openHost(env);
  return { host, epochs: await openEpochStore(host.config) };
}

/** Runs the job's coordinator until it ends. @throws ConfigError, JobDefinitionError: nothing was started. */
export async function runCoordinator(run: CoordinatorRun): Promise<CoordinatorEnd> {
  const began = momentOf(systemClock);
  return runOpened(await openCoordinator(process.env), run, began);
}

/** The same of what is open already: a process may run one coordinator after the other. */
export async function runOpened(
  { host, epochs }: OpenedCoordinator,
  run: CoordinatorRun,
  began = momentOf(systemClock),
): Promise<CoordinatorEnd> {
  const { term } = run;
  const observe = run.observer(host);
  const settings = {
    ...settingsOf(host),
    ...(term && { startKind: term.startKind, holder: term.holder, deadHolders: term.deadHolders, afterStops: term.afterStops }),
    ...(term?.takeover && { takeover: term.takeover }),
    ...(term?.startAt !== undefined && { startAt: term.startAt }),
    ...(term?.endsInMs !== undefined && { holderEndsAtMs: began.wallMs + term.endsInMs }),
  };
  const late = term?.askedAtMs === undefined ? undefined : tooLate(term.askedAtMs, began.wallMs);
  if (late !== undefined) {
    observe({ event: 'ended', end: 'refused', message: late });
    return { end: 'refused', message: late };
  }
  if (term?.startKind === 'revival') {
    const leftMs = (term.endsInMs ?? 0) - (host.clock.elapsedMs() - began.elapsedMs) - LEAST_TENURE_MS;
    const [waits, patienceMs] = term.standsBy ? [{ ...settings, standby: 'keep' as const }, Number.POSITIVE_INFINITY] : [settings, leftMs];
    const turn = await awaitTurn({ epochs, clock: host.clock, random: host.random, observe }, waits, patienceMs, run.handOver);
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
    configuredFrom: own.startFrom,
    parallelism,
  };
}

function configuredStart({
  startFrom,
  startDrop,
  startSourceOffsets: sourceOffsets,
  onWrittenAgain,
}: ConfigOf<'coordinator'>): StartAt | undefined {
  return startFrom === undefined ? undefined : { at: { savepoint: startFrom }, drop: startDrop, sourceOffsets, onWrittenAgain };
}
