import type { Clock } from '../ports/clock.ts';
import type { BrokerLink } from './broker-link.ts';
import { firstAnswer, type Told } from './first-answer.ts';
import { NoAnswer, type WireRequest } from './wire-request.ts';

/**
 * Whom to ask what any broker knows, and in which order. Two brokers are of no use: one that hangs, and one that is cut off
 * from the others, which goes on telling us what was so before. Neither can be told from a healthy one by asking it.
 */
export class Informants {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #silent = new Set<BrokerLink>();
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

  /** It left something unanswered: it is asked when no other answers. */
  markSilent(link: BrokerLink): void {
    this.#silent.add(link);
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
    const place = (link: BrokerLink) => [Number(this.#silent.has(link)), this.#passedOver.get(link) ?? 0, Number(!link.isOpen())];
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
