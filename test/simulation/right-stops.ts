import type { JobSettings } from '../../lib/epoch/coordinator/context.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import type { UploadPlace } from '../support/upload-place.ts';
import type { Checker } from './checker/checker.ts';
import type { Dice } from './kernel/dice.ts';
import type { Broker } from './models/kafka-broker.ts';

const NO_TOPIC = /topic (\S+) does not exist|no broker knows its topic (\S+) any more|one of the topics (\S+(?:, \S+)*) does not exist/;
const NO_EVIDENCE = /whether transaction (\S+) of epoch (\d+) was committed cannot be told any more: (.*?) (?:is|are) not in the log/;
const LOST_INPUT =
  /topic (\S+), partition (\d+): the broker no longer has offset (\d+), its log starts at (\d+): (\d+) offsets were deleted/;
const ANOTHER_TOPIC =
  /topic (\S+), partition \d+: the job has read up to offset \d+ of the topic with id (\S+), and the topic has id (\S+) now/;
const FORGOTTEN = /the broker forgot its end in (\S+(?:, \S+)*) \(KAFKA-20734\), and has replaced its producer id (\d+) since/;
const FORGOTTEN_JOB = /consumer group (\S+) says that job (\S+) has run \(incarnation (\S+), epoch \d+ was committed\)/;
const DENIED = /access denied: \S+ may not be written/;
const PLACE = /topic (\S+), partition (\d+), offsets (\d+) to (\d+)/g;

/**
 * Who looks after the job: reads why it stopped, sees for herself whether that is so, and starts it again with the word that it
 * asks for. A stop for which there is no reason is none of hers.
 */
export class Person {
  readonly #broker: Broker;
  readonly #checker: Checker;
  readonly #dice: Dice;
  readonly #uploads: UploadPlace;
  #evidence: { readonly incarnation: string; readonly epoch: number; readonly says: 'committed' | 'lost' } | undefined;

  #hasGivenUpInput = false;
  #startsAnew = false;

  constructor(broker: Broker, checker: Checker, dice: Dice, uploads: UploadPlace) {
    this.#broker = broker;
    this.#checker = checker;
    this.#dice = dice;
    this.#uploads = uploads;
  }

  /** Is it right that a process which began at `beganMs` gave up with these words? */
  understands(message: string, beganMs: number, row: JobRow | undefined): boolean {
    if (message.includes('unexpected failure')) return false;
    const [, missing, unknown, oneOf] = NO_TOPIC.exec(message) ?? [];
    const topics = missing ?? unknown ?? oneOf;
    if (topics !== undefined) return topics.split(', ').some((topic) => this.#broker.catalog.wasAbsentSince(topic, beganMs));
    const [, transactionalId, epoch, places] = NO_EVIDENCE.exec(message) ?? [];
    if (transactionalId !== undefined && places !== undefined)
      return row !== undefined && this.#decide(row.incarnation, Number(epoch), transactionalId, places);
    if (DENIED.test(message)) return this.#givesRightBack();
    return this.#givesUpInput(message) || this.#endsStranded(message) || this.#givesUpState(message, row);
  }

  /** What she starts the job with: while what she decided is needed, and no longer. */
  says(row: JobRow | undefined): Partial<JobSettings> {
    const word = this.#evidence;
    const isNeeded = word !== undefined && row?.incarnation === word.incarnation && row.lastCommitted < word.epoch;
    return {
      ...(isNeeded ? { onMissingEvidence: word.says } : {}),
      ...(this.#hasGivenUpInput ? { onDataLoss: 'earliest' } : {}),
      ...(this.#startsAnew ? { onMissingState: 'start-anew' } : {}),
    };
  }

  #givesRightBack(): boolean {
    const { isDenied } = this.#uploads;
    this.#uploads.isDenied = false;
    return isDenied;
  }

  /** The input is gone: she has the job go on without it. */
  #givesUpInput(message: string): boolean {
    const [, name, read, found] = ANOTHER_TOPIC.exec(message) ?? [];
    if (name !== undefined) {
      this.#hasGivenUpInput ||= read !== found && [read, found].every((id) => this.#broker.catalog.logsOf(name, id).length > 0);
      return this.#hasGivenUpInput;
    }
    const [, topic = '', partition, from, to, count] = LOST_INPUT.exec(message) ?? [];
    // The job may end some time after it saw that, and the topic be another one by then.
    const logs = this.#broker.catalog.everyLog().filter((log) => log.topic === topic && log.partition === Number(partition));
    if (
      !logs.some(({ starts }) => starts.includes(Number(to))) ||
      Number(from) >= Number(to) ||
      Number(count) !== Number(to) - Number(from)
    )
      return false;
    this.#hasGivenUpInput = true;
    return true;
  }

  /** The job was deleted, and its group still tells of it: she has it begin anew. */
  #givesUpState(message: string, row: JobRow | undefined): boolean {
    const [, group = '', job, incarnation] = FORGOTTEN_JOB.exec(message) ?? [];
    if (job === undefined || row?.lastCompleted !== undefined || row?.incarnation === incarnation) return false;
    this.#startsAnew = this.#broker.groups.texts(group).some((text) => text.includes(`incarnation ${incarnation} `));
    return this.#startsAnew;
  }

  /** No client can end it: she does, with Kafka's own tool. */
  #endsStranded(message: string): boolean {
    const [, places = '', producerId = ''] = FORGOTTEN.exec(message) ?? [];
    if (producerId === '') return false;
    const stranded = this.#broker.stranded().filter((one) => String(one.producerId) === producerId);
    const named = stranded.filter(({ topic, partition }) => places.split(', ').includes(`${topic}-${partition}`));
    for (const { topic, partition } of named) this.#broker.abortStranded(topic, partition);
    // The job may end some time after it saw that, and the topic be gone by then, or another one.
    const wasStranded = this.#broker.catalog
      .everyLog()
      .some(
        ({ topic, partition, isDeleted, open }) =>
          isDeleted && open.has(BigInt(producerId)) && places.split(', ').includes(`${topic}-${partition}`),
      );
    return named.length > 0 || wasStranded;
  }

  /** She looks whether the output is there; of a topic that was made anew she says one or the other. */
  #decide(incarnation: string, epoch: number, transactionalId: string, text: string): boolean {
    const gone = [...text.matchAll(PLACE)].map(([, topic = '', partition, , last]) => ({
      topic,
      partition: Number(partition),
      last: Number(last),
    }));
    const isAnew = gone.some(({ topic, partition }) => this.#broker.catalog.wasMadeAnew(topic, partition));
    const isTaken = ({ topic, partition, last }: (typeof gone)[number]) => (this.#broker.partition(topic, partition)?.logStart ?? 0) > last;
    if (!gone.every((place) => isTaken(place) || this.#broker.catalog.wasMadeAnew(place.topic, place.partition))) return false;
    const places = gone.map(({ topic, partition }) => `${topic} ${partition}`);
    const seen = this.#checker.transactions.lookFor(incarnation, epoch, transactionalId, places);
    const [first] = seen ?? [];
    if (seen === undefined || first === undefined) return false;
    const says = (isAnew ? this.#dice.chance(0.5) : first) ? 'committed' : 'lost';
    this.#evidence = { incarnation, epoch, says };
    for (const [index, place] of places.entries())
      if (seen[index] !== (says === 'committed')) this.#checker.transactions.excuse(incarnation, epoch, transactionalId, place);
    return true;
  }
}
