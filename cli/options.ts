import { UsageError } from '../lib/config/usage-error.ts';

/** An option of a command, which takes a value. */
export interface Option<T> {
  /** What `--help` calls the value. */
  readonly takes: string;
  /** What `--help` says of it beside the command. */
  readonly help?: string;
  /** @param given undefined: the option was not. @throws UsageError */
  read(name: string, given: string | undefined): T;
}

/** A whole number from 1 on. */
export function wholeNumber(of: { readonly takes: string; readonly default: number; readonly help?: string }): Option<number> {
  return {
    takes: of.takes,
    ...(of.help === undefined ? {} : { help: of.help }),
    read(name, given) {
      if (given === undefined) return of.default;
      if (!/^[1-9]\d{0,5}$/.test(given)) throw refused(name, given, 'a whole number from 1 to 999999');
      return Number(given);
    },
  };
}

/** One of these words, or undefined. */
export function oneOf<const T extends string>(of: { readonly words: readonly T[]; readonly help: string }): Option<T | undefined> {
  return {
    takes: of.words.join('|'),
    help: of.help,
    read(name, given) {
      const word = of.words.find((each) => each === given);
      if (given !== undefined && word === undefined) throw refused(name, given, of.words.join(' or '));
      return word;
    },
  };
}

export const TIMEOUT_S = 120;

/** How long a command waits, in seconds. */
export const timeout = wholeNumber({ takes: 'S', default: TIMEOUT_S });

function refused(name: string, given: string, rule: string): UsageError {
  return new UsageError(`--${name} is ${JSON.stringify(given)}: it must be ${rule}`);
}
