import { parseStartingOffsets, STARTING_OFFSETS_RULE, type StartingOffsets } from '../lib/config/starting-offsets.ts';
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
    read: (name, given) => (given === undefined ? of.default : numberIn(name, given)),
  };
}

/** The same, or undefined. */
export function maybeNumber(of: { readonly takes: string; readonly help: string }): Option<number | undefined> {
  return { ...of, read: (name, given) => (given === undefined ? undefined : numberIn(name, given)) };
}

/** The number of an epoch, from 0 on, or undefined. */
export function epochNumber(help: string): Option<number | undefined> {
  return {
    takes: 'N',
    help,
    read(name, given) {
      if (given !== undefined && !/^(0|[1-9]\d{0,11})$/.test(given)) throw refused(name, given, 'the number of an epoch, from 0 on');
      return given === undefined ? undefined : Number(given);
    },
  };
}

function numberIn(name: string, given: string): number {
  if (!/^[1-9]\d{0,5}$/.test(given)) throw refused(name, given, 'a whole number from 1 to 999999');
  return Number(given);
}

/** Epochs from one to another, both included: `A..B`, or one of them; or undefined. */
export function epochRange(help: string): Option<{ readonly first: number; readonly last: number } | undefined> {
  return {
    takes: 'A..B',
    help,
    read(name, given) {
      if (given === undefined) return undefined;
      const [, from, to = from] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(given) ?? [];
      if (from === undefined || Number(to) < Number(from))
        throw refused(name, given, 'two epochs, the earlier one first, as in 900..950, or one');
      return { first: Number(from), last: Number(to) };
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

/** Where sources begin, or undefined. */
export function startingPoint(help: string): Option<StartingOffsets | undefined> {
  return {
    takes: 'POINT',
    help,
    read(name, given) {
      if (given !== undefined && parseStartingOffsets(given) === undefined) throw refused(name, given, STARTING_OFFSETS_RULE);
      return given as StartingOffsets | undefined;
    },
  };
}

/** A text that is not empty, or undefined. */
export function named(takes: string, help: string): Option<string | undefined> {
  return {
    takes,
    help,
    read(name, given) {
      if (given === '') throw new UsageError(`--${name} is empty: name a ${takes.toLowerCase()}`);
      return given;
    },
  };
}

/** A port of this machine, or undefined. */
export function portNumber(help: string): Option<number | undefined> {
  return {
    takes: 'PORT',
    help,
    read(name, given) {
      const port = Number(given);
      if (given === undefined || (/^\d{1,5}$/.test(given) && port >= 1 && port <= 65_535)) return given === undefined ? undefined : port;
      throw refused(name, given, 'a port, from 1 to 65535');
    },
  };
}

const TIMEOUT_S = 120;

/** How long a command waits, in seconds. */
export const timeout = wholeNumber({ takes: 'S', default: TIMEOUT_S, help: 'wait at most so many seconds' });

function refused(name: string, given: string, rule: string): UsageError {
  return new UsageError(`--${name} is ${JSON.stringify(given)}: it must be ${rule}`);
}
