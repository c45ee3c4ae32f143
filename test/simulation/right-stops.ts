import type { JobSettings } from '../../lib/epoch/coordinator/context.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import type { Checker } from './checker/checker.ts';
import type { Dice } from './kernel/dice.ts';
import type { Broker } from './models/kafka-broker.ts';

const NO_TOPIC = /topic (\S+) does not exist|no broker knows its topic (\S+) any more/;
const NO_EVIDENCE = /whether transaction \S+ of epoch (\d+) was committed cannot be told any more: (.*?) (?:is|are) not in the log/;
const PLACE = /topic (\S+), partition (\d+), offsets (\d+) to (\d+)/g;

/**
 * Who looks after the job: reads why it stopped, sees for herself whether that is so, and starts it again with the word that it
 * asks for. A stop for which there is no reason is none of hers.
 */
export class Person {
  readonly #broker: Broker;
  readonly #checker: Checker;
  readonly #dice: Dice;
  #evidence: { readonly incarnation: string; readonly epoch: number; readonly says: 'committed' | 'lost' } | undefined;

  constructor(broker: Broker, checker: Checker, dice: Dice) {
    this.#broker = broker;
    this.#checker = checker;
    this.#dice = dice;
  }

  /** Is it right that a process which began at `beganMs` gave up with these words? */
  understands(message: string, beganMs: number, row: JobRow | undefined): boolean {
    if (message.includes('unexpected failure')) return false;
    const [, missing, unknown] = NO_TOPIC.exec(message) ?? [];
    const topic = missing ?? unknown;
    if (topic !== undefined) return this.#broker.wasAbsentSince(topic, beganMs);
    const [, epoch, places] = NO_EVIDENCE.exec(message) ?? [];
    if (epoch !== undefined && places !== undefined && row !== undefined) return this.#decide(row.incarnation, Number(epoch), places);
    return false;
  }

  /** What she starts the job with: while what she decided is needed, and no longer. */
  says(row: JobRow | undefined): Partial<JobSettings> {
    const word = this.#evidence;
    if (word === undefined || row === undefined || row.incarnation !== word.incarnation || row.lastCommitted >= word.epoch) return {};
    return { onMissingEvidence: word.says };
  }

  /** Of what nobody can look at any more she says one or the other. */
  #decide(incarnation: string, epoch: number, places: string): boolean {
    const gone = [...places.matchAll(PLACE)].map(([, topic = '', partition, , last]) => ({
      topic,
      partition: Number(partition),
      last: Number(last),
    }));
    const isGone = gone.every(({ topic, partition }) => this.#broker.wasMadeAnew(topic, partition));
    if (!isGone || gone.length === 0 || !this.#checker.isDecided(incarnation, epoch)) return false;
    this.#evidence = { incarnation, epoch, says: this.#dice.pick(['committed', 'lost']) };
    return true;
  }
}
