import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Machine } from './machine.ts';
import type { Mode } from './options.ts';

/** One measured run: a line of the results file. */
export interface RunResult {
  readonly mode: Mode;
  readonly peer: string;
  /** What was asked for: runs are compared when all of it is equal. */
  readonly setting: Readonly<Record<string, string | number>>;
  readonly at: string;
  readonly machine: Machine;
  /** The load average before the start, and at the end. */
  readonly load: readonly [before: number, after: number];
  /** Whether every record of the input was counted exactly once in the committed output, in order. */
  readonly exact: boolean;
  /** What the check counted. */
  readonly check: Readonly<Record<string, number | boolean | undefined>> | undefined;
  /** By name, the unit last. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly details?: unknown;
  /** Why there are no metrics. */
  readonly error?: string;
}

export function appendResult(file: string, result: RunResult): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(result)}\n`);
}

export function readResults(file: string): RunResult[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RunResult);
}
