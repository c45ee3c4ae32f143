import { type DeadLetter, rangesOfNow, readLetters } from '../../lib/inspect/dead-letters.ts';
import type { ConsoleDeps } from './deps.ts';
import { NothingThere } from './outcome.ts';

/** Letters of the newest records of the dead-letter topic. */
export interface LetterList {
  readonly topic: string;
  /** The newest first. */
  readonly letters: readonly ShownLetter[];
  /** Of each partition so many of its newest records were looked at, and no more. */
  readonly lookedAt: number;
}

export interface ShownLetter extends Pick<DeadLetter, 'at' | 'epoch' | 'from' | 'operator' | 'attempts' | 'error'> {
  /** The beginning of what is text in it, or its bytes in base64; null: it has none. */
  readonly key: string | null;
  readonly value: string | null;
}

const LOOKED_AT = 200;
const SHOWN = 100;
const SHOWN_BYTES = 2_000;

/** Bounded: a topic may hold millions. */
export async function readLetterList(deps: ConsoleDeps): Promise<LetterList> {
  const { deadLetterTopic: topic, job } = deps;
  if (topic === undefined)
    throw new NothingThere(
      'no dead-letter topic is configured here: start the console with ONCEFLOW_DEAD_LETTER_TOPIC as the job has it. Without one a job stops at a record that fails',
    );
  const kafka = await deps.kafka();
  const ranges = (await rangesOfNow(kafka, topic)).map((range) => ({ ...range, from: Math.max(range.from, range.to - LOOKED_AT) }));
  const letters: DeadLetter[] = [];
  for await (const letter of readLetters(kafka, topic, job, ranges)) letters.push(letter);
  const newest = letters.toSorted((one, other) => other.epoch - one.epoch).slice(0, SHOWN);
  return { topic, letters: newest.map(shownLetter), lookedAt: LOOKED_AT };
}

function shownLetter({ at, epoch, from, operator, attempts, error, key, value }: DeadLetter): ShownLetter {
  return { at, epoch, from, operator, attempts, error, key: shownBytes(key), value: shownBytes(value) };
}

function shownBytes(bytes: Buffer | undefined): string | null {
  if (bytes === undefined) return null;
  const part = bytes.subarray(0, SHOWN_BYTES);
  const left = bytes.length > part.length ? `… (${bytes.length} bytes)` : '';
  const text = part.toString('utf8');
  const isText = bytes.length > part.length || Buffer.from(text, 'utf8').equals(part);
  return `${isText ? text : `base64 ${part.toString('base64')}`}${left}`;
}
