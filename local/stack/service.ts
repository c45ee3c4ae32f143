import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Keeper, KeptProcess, ProcessSpec } from './kept-process.ts';

/** A server of the stack that a test can kill, freeze and start again at the same address. */
export interface Service {
  /** Changes with every restart. */
  pid(): number;
  readonly logFile: string;
  /** Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Freezes the process (SIGSTOP): its connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the data that it left; kills it first if it runs. Resolves when it answers. */
  restart(): Promise<void>;
  /** Asks it to end in order, and kills it if it has not in time. @param withinMs default 20 s */
  end(withinMs?: number): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 20_000;
const PROBE_EVERY_MS = 25;

/** Starts the server and waits until `isUp`. */
export async function startService(keeper: Keeper, spec: ProcessSpec, isUp: () => Promise<boolean>): Promise<Service> {
  let current = await startOnce(keeper, spec, isUp);

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    current.signal(signal);
    await current.ended;
  }

  return {
    pid: () => current.pid,
    logFile: current.logFile,
    kill,
    freeze: () => current.signal('SIGSTOP'),
    thaw: () => current.signal('SIGCONT'),
    async restart() {
      await kill();
      current = await startOnce(keeper, spec, isUp);
    },
    async end(withinMs = END_TIMEOUT_MS) {
      const patience = setTimeout(() => current.signal('SIGKILL'), withinMs);
      await kill('SIGTERM');
      clearTimeout(patience);
    },
  };
}

async function startOnce(keeper: Keeper, spec: ProcessSpec, isUp: () => Promise<boolean>): Promise<KeptProcess> {
  const started = await keeper.start(spec);
  let how: string | undefined;
  void started.ended.then((end) => {
    how = end;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isUp())) {
    if (how !== undefined) throw new StartError(spec.name, `ended with ${how} while starting`, started);
    if (Date.now() > deadline) {
      started.signal('SIGKILL');
      throw new StartError(spec.name, `does not answer after ${START_TIMEOUT_MS / 1000} s`, started);
    }
    await sleep(PROBE_EVERY_MS);
  }
  return started;
}

export class StartError extends Error {
  override readonly name = 'StartError';
  readonly logTail: string;
  constructor(service: string, what: string, process: KeptProcess) {
    const logTail = process.logTail();
    super(`${service} ${what}. The end of ${process.logFile}:\n${logTail}`);
    this.logTail = logTail;
  }
}

/** Whether something accepts connections at `127.0.0.1:port`. */
export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (up: boolean) => {
      socket.destroy();
      resolve(up);
    };
    socket.setTimeout(2_000, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
