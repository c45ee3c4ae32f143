import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../.onceflow/running.json', import.meta.url));
const ENV_FILE = fileURLToPath(new URL('../.onceflow/running.env', import.meta.url));

/** Where the stack of `npm run local` is, for the console commands in other terminals. */
export interface Running {
  readonly brokers: string;
}

/** @param env what `npx onceflow` needs to find the job: written as a file that a shell reads. */
export function rememberRunning(running: Running, env: Readonly<Record<string, string | undefined>>): void {
  writeFileSync(FILE, JSON.stringify(running));
  const lines = Object.entries(env).map(([name, value = '']) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`);
  writeFileSync(ENV_FILE, lines.join(''));
}

export function forgetRunning(): void {
  for (const file of [FILE, ENV_FILE]) rmSync(file, { force: true });
}

export function readRunning(): Running | undefined {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Running) : undefined;
}
