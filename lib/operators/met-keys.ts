import type { ExchangeReader } from '../format/exchange-reader.ts';
import { UserCodeError } from '../records/errors.ts';
import type { StateSet } from '../state/state-set.ts';

/** The keys of the segment that an operator works on: the state of each is found once, and not for each row. */
export class MetKeys {
  /** The state's numbers of the segment's keys, by index. */
  numbers = new Uint32Array(1024);
  readonly #uid: string;
  readonly #state: StateSet;

  /** @param uid the operator's */
  constructor(uid: string, state: StateSet) {
    this.#uid = uid;
    this.#state = state;
  }

  meet({ keys: met, bytes, keyStarts, keyEnds, hashes }: ExchangeReader): void {
    const { keys } = this.#state;
    this.#state.forgetMet();
    this.#state.makeRoom();
    if (met > this.numbers.length) this.numbers = new Uint32Array(met * 2);
    for (let index = 0; index < met; index++)
      this.numbers[index] = keys.numberOf(bytes, keyStarts[index] as number, keyEnds[index] as number, hashes[index] as number);
    this.#state.met(this.numbers, met);
  }

  /** The segment's rows are done with. Throws `UserCodeError`. */
  takeBack(): void {
    try {
      this.#state.takeBack();
    } catch (cause) {
      throw new UserCodeError(this.#uid, cause);
    }
  }

  /** No row is worked on. */
  leave(): void {
    this.#state.keys.current = -1;
  }
}
