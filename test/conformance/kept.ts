import { readFileSync, writeFileSync } from 'node:fs';

/** Cases with what a peer gave to them, so that nobody needs it to know: a file of test/fixtures, with one on each line. */
export function readKept<Kept>(name: string): Kept[] {
  return linesOf(fileOf(name)) as Kept[];
}

export function writeKept(name: string, kept: readonly unknown[]): void {
  writeFileSync(fileOf(name), kept.map((each) => `${JSON.stringify(each)}\n`).join(''));
}

/** The values of a file that has one on each line, as JSON. */
export function linesOf(file: string | URL): unknown[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}

function fileOf(name: string): URL {
  return new URL(`../fixtures/${name}`, import.meta.url);
}
