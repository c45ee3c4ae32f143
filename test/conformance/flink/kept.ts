import { readFileSync, writeFileSync } from 'node:fs';
import type { Case, FlinkAnswer } from './case.ts';

const FILE = new URL('../../fixtures/flink.jsonl', import.meta.url);

/** A case with what Flink gives to it, so that nobody needs Flink to know. */
export interface KeptCase {
  readonly asked: Case;
  readonly answer: FlinkAnswer;
}

export function readKept(): KeptCase[] {
  return linesOf(FILE) as KeptCase[];
}

export function writeKept(kept: readonly KeptCase[]): void {
  writeFileSync(FILE, kept.map((each) => `${JSON.stringify(each)}\n`).join(''));
}

/** The values of a file that has one on each line, as JSON. */
export function linesOf(file: string | URL): unknown[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}
