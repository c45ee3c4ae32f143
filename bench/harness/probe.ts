import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { INSTALLED, installed, javaCommand } from '../../local/stack/installed.ts';
import { kafkaJvm } from '../../local/stack/java.ts';

/** One line of the probe, see bench/probe/Probe.java. */
export type Said = Readonly<Record<string, number | boolean | undefined>>;

/** The Java side of the benchmark: Kafka's own clients write the input, read the output and check it. */
export interface Probe {
  /** Resolves with the next line, from now on, for which `accepts` is true. Rejects when the probe ends before, or after `timeoutMs`. */
  next(what: string, accepts: (said: Said) => boolean, timeoutMs?: number): Promise<Said>;
  /** Everything that was said so far. */
  readonly said: readonly Said[];
  ask(line: string): void;
  /** Ends its input, and resolves with its last line. */
  finish(timeoutMs?: number): Promise<Said>;
  /** Resolves with its last line when it ends by itself. */
  readonly done: Promise<Said>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const open = new Set<ChildProcess>();

/** Ends what a run that failed has left. Probes also end with the harness, because their input does. */
export function endProbes(): void {
  for (const child of open) child.kill('SIGKILL');
}

export function startProbe(args: readonly (string | number)[], options: { readonly heap?: string } = {}): Probe {
  const classes = join(installed('bench', INSTALLED.benchClasses), 'probe');
  const jvm = kafkaJvm('error').map((arg, index, all) => (all[index - 1] === '-cp' ? `${arg}:${classes}` : arg));
  const child = spawn(javaCommand(), [`-Xmx${options.heap ?? '512m'}`, ...jvm, 'Probe', ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  open.add(child);
  child.stdin.on('error', () => {}); // It may have ended.
  const said: Said[] = [];
  const waiting = new Set<(said: Said | undefined) => void>();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-4_000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const value = JSON.parse(line) as Said;
    said.push(value);
    for (const look of [...waiting]) look(value);
  });
  const failure = () => new Error(`the probe (${args[0]}) ended before it was done: ${errors || 'it said nothing'}`);
  const done = new Promise<Said>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      open.delete(child);
      const last = said.at(-1);
      if (code === 0 && last?.['done'] === true) resolve(last);
      else reject(failure());
      for (const look of [...waiting]) look(undefined);
    });
  });
  done.catch(() => {}); // Whoever waits for it is told.

  return {
    said,
    done,
    ask: (line) => void child.stdin.write(`${line}\n`),
    next: (what, accepts, timeoutMs = DEFAULT_TIMEOUT_MS) =>
      new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        const look = (value: Said | undefined) => {
          if (value !== undefined && !accepts(value)) return;
          end();
          if (value === undefined) reject(failure());
          else resolve(value);
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`));
        }, timeoutMs);
        if (child.exitCode !== null) return look(undefined);
        waiting.add(look);
      }),
    async finish(timeoutMs = DEFAULT_TIMEOUT_MS) {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      return done.finally(() => clearTimeout(timer));
    },
  };
}
