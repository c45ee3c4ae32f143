import type { Clock } from '../ports/clock.ts';
import { type FunctionInvoker, type FunctionTarget, InvokeError } from '../ports/function-invoker.ts';
import { orderFrom } from './placement.ts';
import { functionPath, type WorkerHealth } from './words.ts';
import type { Looked, WorkerClient } from './worker-client.ts';

/** How often a worker that is away is looked for, and one that works is looked at. */
const LOOK_EVERY_MS = 2_000;
const LOOK_WITHIN_MS = 3_000;
/** A worker that does not answer so often in a row, while it works, is gone with its work. */
const MISSED_LOOKS = 2;

export interface WorkersInvokerOptions {
  /** In the order of their addresses. */
  readonly workers: readonly { readonly origin: string; readonly client: WorkerClient }[];
  /** By which number a subtask's home is. */
  readonly homeOf: (target: FunctionTarget) => number;
  readonly job: string;
  /** Of who invokes: workers of another build are asked only when there is none of it. */
  readonly build: string;
  readonly clock: Clock;
  /** Told of a worker that is away, and of one that is back. */
  readonly say: (message: string) => void;
}

export interface WorkersInvoker extends FunctionInvoker {
  close(): void;
}

interface Worker {
  readonly origin: string;
  readonly client: WorkerClient;
  /** Undefined: it takes work. Else why it gets none. */
  away: string | undefined;
  /** It was said that it is away. */
  isSaid: boolean;
  build: string | undefined;
  readonly running: Set<AbortController>;
  isWatched: boolean;
}

/**
 * Stages as long-lived workers. A subtask is asked of its home, and while that one is away of the next one behind it. What has not begun at one
 * worker is asked of the next at once; what may have begun is the engine's to judge, as on every platform.
 */
export async function createWorkersInvoker(options: WorkersInvokerOptions): Promise<WorkersInvoker> {
  const { clock, homeOf, say } = options;
  const closed = new AbortController();
  const workers = options.workers.map(
    (each): Worker => ({ ...each, away: 'it was not asked yet', isSaid: false, build: undefined, running: new Set(), isWatched: false }),
  );
  await Promise.all(workers.map((worker) => lookAt(worker)));
  for (const worker of workers) if (worker.away !== undefined) void lookFor(worker);

  /** Does it take work now? */
  async function lookAt(worker: Worker): Promise<boolean> {
    const looked = await worker.client.look(LOOK_WITHIN_MS);
    const why = whyAway(looked, options);
    if (looked.outcome === 'is-there') worker.build = looked.health.build;
    worker.away = why;
    if (why !== undefined && !worker.isSaid && !closed.signal.aborted) say(`worker ${worker.origin} is away: ${why}`);
    if (why === undefined && worker.isSaid) say(`worker ${worker.origin} takes work again`);
    worker.isSaid = why !== undefined;
    return why === undefined;
  }

  /** Until it takes work again. */
  async function lookFor(worker: Worker): Promise<void> {
    while (!closed.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, closed.signal);
      if (closed.signal.aborted || (await lookAt(worker))) return;
    }
  }

  /** It gets no work until it was looked at. */
  function suspect(worker: Worker, why: string): void {
    if (worker.away !== undefined) return;
    worker.away = why;
    void lookAt(worker).then((takesWork) => (takesWork ? undefined : lookFor(worker)));
  }

  /** While a worker works: a machine that has vanished answers nothing, and its connections stand. */
  async function watch(worker: Worker): Promise<void> {
    worker.isWatched = true;
    let missed = 0;
    while (missed < MISSED_LOOKS) {
      await clock.sleep(LOOK_EVERY_MS, closed.signal);
      if (worker.running.size === 0 || closed.signal.aborted) break;
      const { outcome } = await worker.client.look(LOOK_WITHIN_MS);
      missed = outcome === 'no-answer' ? missed + 1 : 0;
    }
    worker.isWatched = false;
    if (missed < MISSED_LOOKS) return;
    for (const each of worker.running) each.abort();
    suspect(worker, 'it does not answer');
  }

  function candidates(target: FunctionTarget): Worker[] {
    const order = orderFrom(homeOf(target), workers.length).flatMap((number) => workers[number] ?? []);
    const there = order.filter(({ away }) => away === undefined);
    const ofBuild = there.filter(({ build }) => build === options.build);
    return ofBuild.length > 0 ? ofBuild : there;
  }

  async function callOf(worker: Worker, target: FunctionTarget, body: Buffer, timeoutMs: number, signal: AbortSignal | undefined) {
    const gone = new AbortController();
    worker.running.add(gone);
    if (!worker.isWatched) void watch(worker);
    try {
      const either = signal === undefined ? gone.signal : AbortSignal.any([gone.signal, signal]);
      const called = await worker.client.call(functionPath(target), body, timeoutMs, either);
      return { called, isGone: gone.signal.aborted };
    } finally {
      worker.running.delete(gone);
    }
  }

  return {
    async invoke(target, payload, { timeoutMs, signal }) {
      const body = Buffer.from(JSON.stringify(payload));
      const deadlineMs = clock.elapsedMs() + timeoutMs;
      const isGivenUp = () => signal?.aborted === true;
      for (const worker of candidates(target)) {
        const leftMs = deadlineMs - clock.elapsedMs();
        if (leftMs <= 0 || isGivenUp()) break;
        const { called, isGone } = await callOf(worker, target, body, leftMs, signal);
        if (called.outcome === 'answered') {
          worker.build = called.build ?? worker.build;
          return called.value;
        }
        if (called.outcome === 'failed') {
          if (!called.isWorkerWell && !isGivenUp()) suspect(worker, called.reason);
          const reason = isGone ? 'it did not answer while it worked' : called.reason;
          throw new InvokeError(target, `worker ${worker.origin}: ${reason}`, { fatal: called.fatal });
        }
        suspect(worker, called.reason);
      }
      if (clock.elapsedMs() >= deadlineMs) throw new InvokeError(target, `its time was over before a worker began: ${awayText(workers)}`);
      throw new InvokeError(target, `no worker takes it: ${awayText(workers)}`);
    },
    close() {
      closed.abort();
      for (const { client } of workers) client.close();
    },
  };
}

function awayText(workers: readonly Worker[]): string {
  return workers.map(({ origin, away = 'it takes work' }) => `${origin}: ${away}`).join('; ');
}

const STATUS_TEXT: Readonly<Record<Exclude<WorkerHealth['status'], 'ok'>, string>> = {
  starting: 'it starts',
  draining: 'it ends, and takes no more work',
};

function whyAway(looked: Looked, { job }: Pick<WorkersInvokerOptions, 'job'>): string | undefined {
  if (looked.outcome !== 'is-there') return looked.reason;
  const { status, job: other } = looked.health;
  if (other !== job) return `it is a worker of job ${other}, and this is job ${job}`;
  return status === 'ok' ? undefined : STATUS_TEXT[status];
}
