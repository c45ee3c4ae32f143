import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { waitFor } from './wait-for.ts';

const COMMAND = fileURLToPath(new URL('../../cli/onceflow.mjs', import.meta.url));
const API = fileURLToPath(new URL('../../lib/api/index.ts', import.meta.url));

export interface DevProcess {
  readonly child: ChildProcess;
  type(text: string): void;
  /** Lines of standard output. */
  shown(): string[];
  /** Standard error. */
  said(): string;
  untilSaid(text: string | RegExp): Promise<void>;
  untilShown(lines: readonly string[]): Promise<void>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** `onceflow dev` of this checkout. */
export function startDev(folder: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): DevProcess {
  return startCommand(folder, ['dev', ...args], env);
}

/** A command of this checkout in a folder of somebody else's, which has set this and nothing more. It ends with the test. */
export function startCommand(folder: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): DevProcess {
  const own = { PATH: process.env['PATH'], HOME: folder, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], NO_COLOR: '1' };
  const child = spawn(process.execPath, [COMMAND, ...args], { cwd: folder, env: { ...own, ...env }, stdio: 'pipe' });
  let [shown, said] = ['', ''];
  child.stdout.on('data', (chunk) => (shown += chunk));
  child.stderr.on('data', (chunk) => (said += chunk));
  child.stdin.on('error', () => {}); // it may have ended
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lines = () => shown.split('\n').slice(0, -1);
  const until = async (what: string, holds: () => boolean) => {
    await waitFor(`${what}; said so far:\n${said}\nshown:\n${shown}`, holds).catch((error: Error) => {
      throw new Error(`${error.message}\nsaid at last:\n${said}\nshown:\n${shown}`);
    });
  };
  return {
    child,
    type: (text) => child.stdin.write(text),
    shown: lines,
    said: () => said,
    untilSaid: (text) => until(String(text), () => (typeof text === 'string' ? said.includes(text) : text.test(said))),
    untilShown: (wanted) => until(wanted.join(', '), () => wanted.every((line) => lines().includes(line))),
    ended,
  };
}

/** A folder for a project, which goes with the test. */
export function projectFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-dev-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return folder;
}

export interface CountingJob {
  readonly name: string;
  /** What it puts between word and count. */
  readonly between: string;
  /** Statements at the top level. */
  readonly more?: string;
}

/** Writes `job.ts`: the words of topic `<name>-in` are counted to `<name>-out`. */
export function saveJob(folder: string, { name, between, more = '' }: CountingJob): void {
  const text = `import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '${API}';
${more}
export default defineJob('${name}', (job) => {
  job
    .source('read', kafkaSource({ topic: '${name}-in', value: utf8 }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        out.emit(word + '${between}' + count.update((n) => n + 1));
      },
    })
    .sink('write', kafkaSink({ topic: '${name}-out', value: utf8 }));
});
`;
  writeFileSync(join(folder, 'job.ts'), text);
}
