import { holderOfProcess } from '../host/holder.ts';
import { type OpenedCoordinator, runOpened, type Term } from '../host/run-coordinator.ts';
import type { CoordinatorEnd } from '../lib/epoch/coordinator/context.ts';
import type { CoordinatorEvent } from '../lib/epoch/progress/events.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';

/** What follows the end of a coordinator in the same process, after how long. */
const PAUSE_MS: Readonly<Record<CoordinatorEnd['end'], number>> = {
  // Nothing was to be done, or not by this one.
  refused: 500,
  superseded: 1_000,
  stopped: 1_000,
  failed: 1_000,
  // To another one, if there is one: it may be newer, and workers with it.
  'handed-over': 5_000,
};

export interface Tenures {
  readonly opened: OpenedCoordinator;
  /** Called when it is this process's turn. */
  readonly invoker: () => FunctionInvoker | Promise<FunctionInvoker>;
  readonly observe: (event: CoordinatorEvent) => void;
  /** Begins with an explicit start: also of a job that was stopped, has failed, or is another's. @default only of one that has never run */
  readonly starts: boolean;
  /** Ends it: what is under way is finished and committed, and the lease given up to whoever stands by. */
  readonly handOver: AbortSignal;
}

/**
 * Runs a job's coordinators, one after the other, until it is told to end: works while nobody else does, and stands by otherwise. What a person
 * has stopped, or what has failed, it leaves alone until it may run again.
 */
export async function runTenures({ opened, invoker, observe, starts, handOver }: Tenures): Promise<void> {
  const { host, epochs } = opened;
  const holder = holderOfProcess(process.pid);
  const revival: Term = { startKind: 'revival', standsBy: true, holder };
  const isKnown = await epochs.readJob(host.job.name).then(
    (row) => row !== undefined,
    // It is asked again as long as it takes.
    () => true,
  );
  let term: Term = revival;
  // Of two that begin at once one makes the job, and the other stands by.
  if (!isKnown) term = { startKind: 'explicit', takeover: 'refuse', holder };
  if (starts) term = { startKind: 'explicit', holder };
  while (!handOver.aborted) {
    const { end } = await runOpened(opened, { invoker, observer: () => observe, stop: new AbortController().signal, handOver, term });
    term = revival;
    await host.clock.sleep(PAUSE_MS[end], handOver);
  }
}
