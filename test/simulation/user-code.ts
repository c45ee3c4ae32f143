import { MalformedError, type Serde, utf8 } from '../../lib/api/index.ts';
import { Dice, hashOf } from './kernel/dice.ts';

/** Where the functions of a job's author run. */
export type UserPlace = 'source' | 'operator';

/**
 * What the author's functions do wrong in a run. A word that begins with one of these letters makes them fail:
 *
 * - `p`: in the source's chain, always. `q`: in a keyed operator, always.
 * - `r` and `s`: the same, the first times, as many as the digit behind the letter says.
 * - `u`: the serde of the source cannot read a line with it.
 *
 * They are words of one line each, and no letter of another word. The job's author may mend what always fails.
 */
export interface UserCode {
  /** Throws when a word is to fail here. */
  check(place: UserPlace, word: string): void;
  /** Answers `value` some time later, or for a word that is to fail not at all. The checker, which does not wait, reads what is known. */
  answer<T>(word: string, value: T): Answer<T>;
  /** Reads lines. */
  readonly lines: Serde<string>;
}

export type Answer<T> = Promise<T> & { readonly known: T };

const answered = <T>(value: T, promise: Promise<T>): Answer<T> => Object.assign(promise, { known: value });

export const faultless: UserCode = { check: () => {}, answer: (_, value) => answered(value, Promise.resolve(value)), lines: utf8 };

const ALWAYS: Readonly<Record<UserPlace, string>> = { source: 'p', operator: 'q' };
const SOMETIMES: Readonly<Record<UserPlace, string>> = { source: 'r', operator: 's' };
const UNREADABLE = / u|^u/;

export interface Mishaps {
  readonly seed: number;
  /** Chance of any call to throw. */
  readonly chance: number;
  readonly untilMs: number;
  readonly nowMs: () => number;
}

/** One author's code, shared by all processes of a run: it knows how often what has failed. */
export class FaultyUserCode implements UserCode {
  readonly lines: Serde<string>;
  readonly #mishaps: Mishaps;
  readonly #dice: Dice;
  readonly #answerDice: Dice;
  readonly #thrown = new Map<string, number>();
  #mended = false;

  constructor(mishaps: Mishaps) {
    this.#mishaps = mishaps;
    this.#dice = new Dice(hashOf(mishaps.seed, 'user code throws'));
    this.#answerDice = new Dice(hashOf(mishaps.seed, 'answers of user code'));
    this.lines = {
      name: 'utf8',
      write: utf8.write,
      read: (bytes, start, end) => {
        const line = utf8.read(bytes, start, end);
        if (UNREADABLE.test(line) && !this.#mended) throw new MalformedError(`"${line}" cannot be read`);
        return line;
      },
    };
  }

  check(place: UserPlace, word: string): void {
    const thrown = this.#thrown.get(word) ?? 0;
    const { chance, untilMs, nowMs } = this.#mishaps;
    const fails =
      (word.startsWith(ALWAYS[place]) && !this.#mended) ||
      (word.startsWith(SOMETIMES[place]) && thrown < Number(word[1])) ||
      (chance > 0 && nowMs() < untilMs && this.#dice.chance(chance));
    if (!fails) return;
    this.#thrown.set(word, thrown + 1);
    throw new RangeError(`${word} failed in the ${place}`);
  }

  answer<T>(word: string, value: T): Answer<T> {
    const { chance, untilMs, nowMs } = this.#mishaps;
    if (chance > 0 && nowMs() < untilMs && this.#answerDice.chance(chance / 4)) {
      this.#thrown.set(word, (this.#thrown.get(word) ?? 0) + 1);
      return answered(value, new Promise<T>(() => {}));
    }
    const turns = this.#answerDice.whole(0, 5);
    const later = async () => {
      for (let left = turns; left > 0; left--) await undefined;
      return value;
    };
    return answered(value, later());
  }

  /** From now on what always failed does not any more. */
  mend(): void {
    this.#mended = true;
  }

  /** May a line be left out, or stop the job, after so many failures of it alone? */
  isPoison(line: string, attempts: number): boolean {
    // Operators see words, or only their first letters. It may have failed at one the first time and at another the next.
    const seen = new Set(line.split(' ').flatMap((word) => [word, word.slice(0, 1)]));
    const thrown = [...seen].reduce((sum, word) => sum + (this.#thrown.get(word) ?? 0), 0);
    return UNREADABLE.test(line) || thrown >= attempts;
  }
}
