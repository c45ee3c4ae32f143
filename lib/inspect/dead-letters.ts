import type { WireHeader } from '../format/record-header.ts';
import { RecordSetReader } from '../format/record-set-reader.ts';
import { KafkaProblem, type SourceRequests, type TopicPartition } from '../ports/kafka-requests.ts';
import { LETTER_HEADER } from '../sinks/kafka/dead-letters.ts';

/** A record that a job left out, and why, as it is in the dead-letter topic. */
export interface DeadLetter {
  readonly at: LetterPlace;
  readonly job: string;
  readonly epoch: number;
  /** Where the record was. */
  readonly from: TopicPartition & { readonly offset: number };
  /** The record's own, in milliseconds since the Unix epoch; rounded beyond ±2^53. */
  readonly timestampMs: number;
  readonly stage: string;
  readonly operator: string;
  readonly attempts: number;
  readonly error: { readonly class: string; readonly message: string; readonly stack: string };
  /** Undefined: it has none. */
  readonly key: Buffer | undefined;
  /** Undefined: it has none (a tombstone). */
  readonly value: Buffer | undefined;
  /** The record's own. */
  readonly headers: readonly WireHeader[];
}

export interface LetterPlace {
  readonly partition: number;
  readonly offset: number;
}

/** A part of a partition of the topic: offsets from `from` up to `to`, without that. */
export interface LetterRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

const FETCH_BYTES = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 200;

/** All that can be read of the topic now. What comes later is not in it, such as the letters that a retry leads to. */
export async function rangesOfNow(kafka: SourceRequests, topic: string): Promise<LetterRange[]> {
  const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
  const [starts, ends] = await Promise.all([kafka.offsets(topic, partitions, 'earliest'), kafka.offsets(topic, partitions, 'latest')]);
  return partitions.map((partition) => ({ partition, from: starts[partition] ?? 0, to: ends[partition] ?? 0 }));
}

/** The letters of a job in these parts of the topic, partition by partition. What nobody of this engine wrote is passed over. */
export async function* readLetters(
  kafka: SourceRequests,
  topic: string,
  job: string,
  ranges: readonly LetterRange[],
): AsyncGenerator<DeadLetter> {
  for (const range of ranges) for await (const letter of lettersOf(kafka, topic, range)) if (letter.job === job) yield letter;
}

async function* lettersOf(kafka: SourceRequests, topic: string, { partition, from, to }: LetterRange): AsyncGenerator<DeadLetter> {
  const reader = new RecordSetReader();
  for (let offset = from; offset < to; offset = reader.nextOffset) {
    const ask = { topic, partition, offset, maxBytes: FETCH_BYTES };
    const [fetched] = await kafka.fetch([ask], { maxBytes: FETCH_BYTES, maxWaitMs: FETCH_WAIT_MS, minBytes: 1 });
    const where = `topic ${topic}, partition ${partition}`;
    if (fetched === undefined || fetched.answer !== 'NONE')
      throw new KafkaProblem(fetched?.answer ?? 'NO_ANSWER', `${where}, offset ${offset}: Fetch was answered ${fetched?.answer}`, true);
    reader.open(fetched.records, { from: offset, to, aborted: fetched.aborted, describe: () => where });
    while (reader.next()) {
      const letter = letterIn(reader, partition);
      if (letter !== undefined) yield letter;
    }
    if (reader.nextOffset <= offset) throw new KafkaProblem('NONE', `${where}: nothing comes behind offset ${offset}, up to ${to}`, true);
  }
}

/** Undefined: it is no dead letter. */
function letterIn(reader: RecordSetReader, partition: number): DeadLetter | undefined {
  const headers = reader.rawHeaders().map(({ key, value }) => ({ key: Buffer.from(key), value: value && Buffer.from(value) }));
  // The record's own may begin so too: of one that had been a letter before.
  const first = headers.findLastIndex(({ key }) => key.toString() === `${LETTER_HEADER}job`);
  if (first < 0) return undefined;
  const said = new Map(headers.slice(first).map(({ key, value }) => [key.toString(), value?.toString() ?? '']));
  const of = (name: string) => said.get(`${LETTER_HEADER}${name}`) ?? '';
  return {
    at: { partition, offset: reader.offset },
    job: of('job'),
    epoch: Number(of('epoch')),
    from: { topic: of('topic'), partition: Number(of('partition')), offset: Number(of('offset')) },
    timestampMs: Number(of('timestamp')),
    stage: of('stage'),
    operator: of('operator'),
    attempts: Number(of('attempts')),
    error: { class: of('error.class'), message: of('error.message'), stack: of('error.stack') },
    key: part(reader.bytes, reader.keyStart, reader.keyEnd),
    value: part(reader.bytes, reader.valueStart, reader.valueEnd),
    headers: headers.slice(0, first),
  };
}

/** A copy: the reader goes on. */
function part(bytes: Buffer, start: number, end: number): Buffer | undefined {
  return start < 0 ? undefined : Buffer.from(bytes.subarray(start, end));
}
