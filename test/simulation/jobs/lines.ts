import type { Build } from '../sim-job.ts';
import type { UserCode } from '../user-code.ts';

/** A line is words, and last a token that makes it unique. */
const words = (line: string) => line.split(' ').filter((word) => !word.startsWith('#'));
export const wordsBy = (code: UserCode) => (line: string) => {
  for (const word of words(line)) code.check('source', word);
  return words(line);
};
export const upperBy = (code: UserCode) => (line: string) => {
  wordsBy(code)(line);
  return line.toUpperCase();
};

/** What crosses an exchange differs between the builds: ones, or tens that the operator divides again. */
export const weightIn = (build: Build) => (build === 'a' ? 1 : 10);
/** How often an operator of a build does its work: once, unless the weight is another build's. */
export const timesOf = (build: Build, weight: number) => Math.max(1, Math.round(weight / weightIn(build)));

/** A word in its line: no two are alike. */
export interface Sighting {
  readonly word: string;
  /** The line's token, and which of its words it is. */
  readonly place: string;
  readonly weight: number;
}

export const sightingsBy = (build: Build, code: UserCode) => (line: string) => {
  const token = line.slice(line.indexOf('#') + 1);
  return wordsBy(code)(line).map((word, index): Sighting => ({ word, place: `${token}.${index}`, weight: weightIn(build) }));
};
