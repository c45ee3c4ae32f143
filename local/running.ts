import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../.onceflow/running.json', import.meta.url));

/** Where the stack of `npm run local` is, for the console commands in other terminals. */
export interface Running {
  readonly brokers: string;
}

export function rememberRunning(running: Running): void {
  writeFileSync(FILE, JSON.stringify(running));
}

export function forgetRunning(): void {
  rmSync(FILE, { force: true });
}

export function readRunning(): Running | undefined {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Running) : undefined;
}
