import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { WireRecord } from '../models/wire.ts';
import { DEAD_LETTER_TOPIC, JOB } from '../sim-job.ts';
import type { FaultyUserCode } from '../user-code.ts';
import type { Contents } from './contents.ts';
import type { InputRecord } from './interpreter/epoch.ts';
import type { Scene } from './scene.ts';
import { shown, textOf } from './texts.ts';

/** Which lines may be left out, and where they go. */
export interface PoisonRule {
  readonly code: FaultyUserCode;
  /** Failures in a row of one record alone. */
  readonly attempts: number;
}

const OWN_HEADER = 'onceflow.';

/**
 * What an epoch leaves out, by its dead letters: each is of one record of its input, which has failed so often that it may be
 * left out, and is that record, with the place that it was read from (I2).
 */
export class LeftOut {
  readonly #scene: Scene;
  readonly #poison: PoisonRule;
  readonly #epoch: number;
  /** By topic, partition and offset of the record. */
  readonly #letters = new Map<string, WireRecord>();

  constructor(scene: Scene, poison: PoisonRule, contents: Contents, manifest: Manifest) {
    this.#scene = scene;
    this.#poison = poison;
    this.#epoch = manifest.epoch;
    for (const { topic, letter } of contents.lettersOf(manifest)) {
      if (topic !== DEAD_LETTER_TOPIC) scene.fail('I2', `a dead letter of epoch ${this.#epoch} goes to ${topic}`);
      const place = `${said(letter, 'topic')} ${said(letter, 'partition')} ${said(letter, 'offset')}`;
      if (this.#letters.has(place)) scene.fail('I2', `epoch ${this.#epoch} leaves out the record at ${place} twice`);
      this.#letters.set(place, letter);
    }
  }

  /** Is this record of the input left out? Then it is checked. */
  take(record: InputRecord): boolean {
    const place = `${record.topic} ${record.partition} ${record.offset}`;
    const letter = this.#letters.get(place);
    if (letter === undefined) return false;
    this.#letters.delete(place);
    this.#check(letter, record);
    return true;
  }

  checkAllTaken(): void {
    for (const place of this.#letters.keys())
      this.#scene.fail('I2', `epoch ${this.#epoch} leaves out the record at ${place}, which is not of its input`);
  }

  #check(letter: WireRecord, record: InputRecord): void {
    const { fail } = this.#scene;
    const headers = letter.headers.filter(({ key }) => !key.startsWith(OWN_HEADER));
    // Its own time may be another: that of its writing, where a topic could refuse the record's.
    const [wanted, found] = [textOf(record), textOf({ ...letter, headers, timestamp: record.timestamp })];
    const line = shown(record.value ?? Buffer.alloc(0));
    if (wanted !== found) fail('I2', `the dead letter of "${wanted}" is "${found}"`);
    const timestamp = said(letter, 'timestamp');
    if (said(letter, 'epoch') !== String(this.#epoch) || said(letter, 'job') !== JOB || timestamp !== String(record.timestamp))
      fail(
        'I2',
        `the dead letter of "${line}" in epoch ${this.#epoch} says ${JSON.stringify(letter.headers.map(({ key, value }) => `${key}: ${value}`))}`,
      );
    if (!this.#poison.code.isPoison(line, this.#poison.attempts))
      fail('I2', `epoch ${this.#epoch} leaves out "${line}", which has not failed so often that it may be`);
  }
}

/** What a letter says of its record in a header. */
function said({ headers }: WireRecord, what: string): string {
  return String(headers.find(({ key }) => key === `${OWN_HEADER}${what}`)?.value);
}
