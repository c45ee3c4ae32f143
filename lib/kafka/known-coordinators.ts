import { ageMs, type Moment, momentOf } from '../ports/age.ts';
import type { Clock } from '../ports/clock.ts';
import type { KafkaAnswer } from '../ports/kafka-requests.ts';
import type { BrokerLink } from './broker-link.ts';
import type { Informants } from './informants.ts';

interface Known {
  readonly learned: Moment;
  readonly from: BrokerLink;
  readonly broker: number;
}

const IS_NONE: ReadonlySet<KafkaAnswer> = new Set(['NO_ANSWER', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE']);
const IN_A_MOMENT: ReadonlySet<KafkaAnswer> = new Set(['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS']);

/** Who coordinates which group or transactional id, until it proves wrong; then who told it is passed over. */
export class KnownCoordinators {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #informants: Informants;
  readonly #known = new Map<string, Known>();

  /** @param patienceMs how long one is believed that is not ready */
  constructor(clock: Clock, patienceMs: number, informants: Informants) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    this.#informants = informants;
  }

  of(name: string): number | undefined {
    return this.#known.get(name)?.broker;
  }

  learn(name: string, from: BrokerLink, broker: number): void {
    this.#known.set(name, { learned: momentOf(this.#clock), from, broker });
  }

  /**
   * What it answered to a request. One that is cut off from the others does not know that it is none any more: it says "in a
   * moment", for as long as it is cut off.
   */
  heard(name: string, answer: KafkaAnswer): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    const isLate = IN_A_MOMENT.has(answer) && ageMs(this.#clock, known.learned) >= this.#patienceMs;
    if (IS_NONE.has(answer) || isLate) this.#forget(name, known);
  }

  forgetBroker(broker: number): void {
    for (const [name, known] of this.#known) if (known.broker === broker) this.#forget(name, known);
  }

  #forget(name: string, { from }: Known): void {
    this.#informants.passOver(from);
    this.#known.delete(name);
  }
}
