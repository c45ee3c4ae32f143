import { ageMs, type Moment, momentOf } from '../ports/age.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerLink } from './broker-link.ts';
import { firstAnswer, type Told } from './first-answer.ts';
import { NoAnswer, type WireRequest } from './wire-request.ts';

/** A broker that restarts is back by then. One that hangs is waited for once more then, where another has told something wrong. */
const SILENCE_COUNTS_MS = 30_000;

/**
 * Whom to ask what any broker knows, and in which order. Two brokers are of no use: one that hangs, and one that is cut off
 * from the others, which goes on telling us what was so before. Neither can be told from a healthy one by asking it.
 */
export class Informants {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #silent = new Map<BrokerLink, Moment>();
  readonly #passedOver = new Map<BrokerLink, number>();
  #turn = 0;

  /** @param patienceMs after so long without an answer the next one is asked too */
  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** What it told has turned out wrong, or is old: it is the others' turn. */
  passOver(link: BrokerLink): void {
    this.#passedOver.set(link, ++this.#turn);
  }

  /**
   * It left something unanswered: for a while it is asked when no other answers. Not for ever: nobody asks it then, and the one that
   * does answer may be the one that is cut off.
   */
  markSilent(link: BrokerLink): void {
    this.#silent.set(link, momentOf(this.#clock));
  }

  #isSilent(link: BrokerLink): boolean {
    const since = this.#silent.get(link);
    return since !== undefined && ageMs(this.#clock, since) < SILENCE_COUNTS_MS;
  }

  /** The first answer, and whose it is. Only for requests that change nothing. */
  ask<T>(links: Iterable<BrokerLink>, requestFor: (link: BrokerLink) => Promise<WireRequest<T>>): Promise<Told<BrokerLink, T> | NoAnswer> {
    const asked = async (link: BrokerLink) => {
      const response = await link.read(await requestFor(link));
      if (response instanceof NoAnswer) this.markSilent(link);
      else this.#silent.delete(link);
      return response;
    };
    return firstAnswer(this.#inOrder(links), asked, {
      wait: (signal) => this.#clock.sleep(this.#patienceMs, signal),
      onLate: (link) => this.markSilent(link),
    });
  }

  /** Of those that were passed over, the longest ago first; of equals the connected ones. */
  #inOrder(links: Iterable<BrokerLink>): BrokerLink[] {
    const place = (link: BrokerLink) => [Number(this.#isSilent(link)), this.#passedOver.get(link) ?? 0, Number(!link.isOpen())];
    return [...links]
      .map((link) => ({ link, place: place(link) }))
      .sort((one, other) => compare(one.place, other.place))
      .map(({ link }) => link);
  }
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
