import { UsageError } from '../lib/config/usage-error.ts';

/** An option of a command. */
export interface Option<T> {
  /** What `--help` calls the value. Undefined: it takes none. */
  readonly takes: string | undefined;
  /** What `--help` says of it. */
  readonly help: string;
  /** What the value may be, where it is one of these words. */
  readonly words?: readonly string[];
  /** @param given undefined: the option was not. @throws UsageError */
  read(name: string, given: string | undefined): T;
}

/** It is given, or not. */
export function flag(help: string): Option<boolean> {
  return { takes: undefined, help, read: (_name, given) => given !== undefined };
}

/** A whole number from 1 on. */
export function wholeNumber(of: { readonly takes: string; readonly default: number; readonly help: string }): Option<number> {
  return {
    takes: of.takes,
    help: `${of.help} (default ${of.default})`,
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
    words: of.words,
    read(name, given) {
      const word = of.words.find((each) => each === given);
      if (given !== undefined && word === undefined) throw refused(name, given, of.words.join(' or '));
      return word;
    },
  };
}

/** A text that keeps a rule, or undefined. */
export function text(of: {
  readonly takes: string;
  readonly help: string;
  readonly rule: string;
  readonly isRight: (given: string) => boolean;
}): Option<string | undefined> {
  return {
    takes: of.takes,
    help: of.help,
    read(name, given) {
      if (given !== undefined && !of.isRight(given)) throw refused(name, given, of.rule);
      return given;
    },
  };
}

const TIMEOUT_S = 120;

/** How long a command waits, in seconds. */
export const timeout = wholeNumber({ takes: 'S', default: TIMEOUT_S, help: 'wait at most so many seconds' });

function refused(name: string, given: string, rule: string): UsageError {
  return new UsageError(`--${name} is ${JSON.stringify(given)}: it must be ${rule}`);
}
