import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { JobEnd } from '../../local/functions/run-job.ts';
import { PATIENCE_MS } from './wait-for.ts';

const COMMAND = fileURLToPath(new URL('../../cli/onceflow.mjs', import.meta.url));
const SHOWN_LINES = 25;

/** A line of the log of `onceflow run` or `onceflow worker`. */
export interface LogLine {
  readonly level?: string;
  readonly message?: string;
  readonly [field: string]: unknown;
}

/** `onceflow run` or `onceflow worker` of this checkout, as a process with its own functions. Whoever starts it ends it. */
export class CommandProcess {
  readonly lines: LogLine[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<JobEnd>;
  #said = '';
  #end: JobEnd | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    // A group of its own: it can be killed with all that it has started.
    this.child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let rest = '';
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      this.lines.push(...lines.map(lineOf));
      this.#wake();
    });
    this.child.stderr?.on('data', (chunk) => (this.#said += chunk));
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      this.#end = { end: signal === null ? `exit code ${code}` : String(signal), message: this.#said };
      this.#wake();
      return this.#end;
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  said(): string {
    return this.#said;
  }

  /** The first line that says this, said already or to come. */
  async line(fits: (line: LogLine) => boolean, what: string): Promise<LogLine> {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const impatient = once(patience, 'abort');
    for (;;) {
      const found = this.lines.find(fits);
      if (found !== undefined) return found;
      if (this.#end !== undefined || patience.aborted)
        throw new Error(`it did not say ${what}: ${this.#end?.end ?? 'in time'}\n${this.told()}`);
      await Promise.race([this.#changed.promise, impatient]);
    }
  }

  says(text: string | RegExp): Promise<LogLine> {
    return this.line(({ message = '' }) => (typeof text === 'string' ? message.includes(text) : text.test(message)), String(text));
  }

  /** Ends it in order. */
  async stop(): Promise<JobEnd> {
    this.child.kill('SIGTERM');
    const end = await this.ended;
    if (end.end !== 'exit code 0') throw new Error(`it did not end in order, but with ${end.end}\n${this.told()}`);
    return end;
  }

  /** kill -9 of the process and of all that it has started, as of a machine. */
  async killGroup(): Promise<void> {
    this.killAtOnce();
    await this.ended;
  }

  /** The same, and does not wait for its end. */
  killAtOnce(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // There is nobody left.
    }
  }

  /** One of the processes that run its functions. */
  functionProcess(): number {
    return Number(execFileSync('pgrep', ['-P', `${this.pid}`, '-f', 'process-0[.]sock'], { encoding: 'utf8' }));
  }

  /** A signal to all of them. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  told(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), this.#said].slice(-SHOWN_LINES).join('\n');
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function lineOf(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { message: text };
  }
}
