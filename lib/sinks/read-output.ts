import { inCluster } from '../config/clusters.ts';
import { ATTRIBUTE, BATCH } from '../format/batch-layout.ts';
import { RecordSetReader } from '../format/record-set-reader.ts';
import type { Serde } from '../format/serde.ts';
import { batchesOf, stampPlainBatch } from '../format/stamp-batches.ts';
import { KafkaProblem, type LogRequests } from '../ports/kafka-requests.ts';
import type { Committable } from '../protocol/committable.ts';
import type { CondemnedRecord } from '../protocol/requests.ts';
import type { SinkSpec, SinkTarget } from './connectors.ts';
import { readBatches } from './deliver/staged-rows.ts';
import { decodeStagedItems } from './dynamodb/staged-items.ts';
import { decodeStagedFiles } from './files/staged-files.ts';
import { kafkaCommittable, type WrittenRange } from './kafka/committable.ts';
import { LETTER_HEADER } from './kafka/dead-letters.ts';
import { decodeStagedOutput } from './kafka/staged-output.ts';

/*
 * What an epoch wrote, for people and for comparing it: from staged output of any kind of sink, and from the log of a topic.
 */

/** One record, item or line that a sink was given to write. */
export interface OutputRow {
  /** Where to: `topic-partition`, a folder; empty where there is one place. */
  readonly place: string;
  /** Two rows of one place are the same when these are, and their times. */
  readonly identity: string;
  /** Of a record, as its producer stamped it, in milliseconds since the Unix epoch. Undefined: it has none that it was given. */
  readonly timestamp: string | undefined;
  /** Undefined: it has none. */
  readonly key: unknown;
  /** Undefined: it has none. */
  readonly value: unknown;
  /** Of a record that was left out: which, and why. */
  readonly letter?: CondemnedRecord;
}

/** A sink, as far as its rows are to be read. */
export interface ReadSink {
  readonly target: SinkTarget;
  /** What of it reads values. Undefined: they are bytes. */
  readonly spec: SinkSpec | undefined;
}

/** @throws CorruptBlobError */
export function rowsOfStaged({ target, spec }: ReadSink, payload: Buffer, name: string): OutputRow[] {
  switch (target.kind) {
    case 'kafka':
      return decodeStagedOutput(payload, name).flatMap(({ topic, partition, batches }) =>
        rowsOfBatches(batches, `${topic}-${partition}`, serdesAt(spec, topic)),
      );
    case 'deliver': {
      const serde = spec?.kind === 'deliver' ? spec.value : undefined;
      return readBatches(payload, name).flatMap(({ bytes, rows }) =>
        rows.map(({ start, end }) => rowOf('', bytes.subarray(start, end), serde)),
      );
    }
    case 'dynamodb':
      return decodeStagedItems(payload, name).writes.map(({ write }) => ({
        place: '',
        identity: JSON.stringify(write),
        timestamp: undefined,
        key: undefined,
        value: write,
      }));
    case 'files':
      return decodeStagedFiles(payload, name).sections.flatMap(({ folder, content, rows }) =>
        rows === 0 ? [] : linesOf(content).map((line) => rowOf(folder, line, undefined)),
      );
  }
}

function rowOf(place: string, bytes: Buffer, serde: Serde<unknown> | undefined): OutputRow {
  return { place, identity: bytes.toString('latin1'), timestamp: undefined, key: undefined, value: decoded(serde, bytes) };
}

/** Of a format without lines it is one. */
function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf(0x0a, start);
    const end = newline < 0 ? content.length : newline + 1;
    lines.push(content.subarray(start, newline < 0 ? end : newline));
    start = end;
  }
  return lines;
}

/** What is not of the record but of the try: how often, and with which stack, it failed. */
const OF_THE_TRY = ['error.message', 'error.stack', 'attempts'].map((name) => `${LETTER_HEADER}${name}`);

/** The records of whole batches, whoever produced them. */
function rowsOfBatches(batches: Buffer, place: string, { key, value }: RecordSerdes): OutputRow[] {
  const reader = new RecordSetReader();
  const rows: OutputRow[] = [];
  for (const { start, end } of batchesOf(batches)) {
    // What is staged has no checksum yet: that covers who sends it.
    const batch = Buffer.from(batches.subarray(start, end));
    stampPlainBatch(batch, 0, batch.length);
    const isStampedByBroker = (batch.readInt16BE(BATCH.attributes) & ATTRIBUTE.logAppendTime) !== 0;
    reader.open(batch, { from: 0, to: Number.MAX_SAFE_INTEGER, aborted: [], describe: () => place });
    while (reader.next()) rows.push(recordOf(reader, place, { key, value }, isStampedByBroker));
  }
  return rows;
}

/** A serde may do something else at each topic of a sink. */
function serdesAt(spec: SinkSpec | undefined, topic: string): RecordSerdes {
  if (spec?.kind !== 'kafka') return {};
  return spec.topics.find((each) => inCluster(spec.cluster, each.topic) === topic) ?? {};
}

interface RecordSerdes {
  readonly key?: Serde<unknown> | undefined;
  readonly value?: Serde<unknown> | undefined;
}

function recordOf(reader: RecordSetReader, place: string, serdes: RecordSerdes, isStampedByBroker: boolean): OutputRow {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd } = reader;
  const key = partOf(bytes, keyStart, keyEnd);
  const value = partOf(bytes, valueStart, valueEnd);
  const all = reader.rawHeaders().map((header) => ({ name: header.key.toString(), ...header }));
  const headers = all.filter(({ name }) => !OF_THE_TRY.includes(name));
  const letter = letterIn(all);
  const parts = [key, value, ...headers.flatMap((header) => [header.key, header.value])];
  return {
    place,
    identity: JSON.stringify(parts.map((part) => part?.toString('latin1') ?? null)),
    // Of a letter whose record's time no topic takes it is the time at which it was written.
    timestamp: letter !== undefined || isStampedByBroker ? undefined : `${reader.exactTimestamp()}`,
    key: key && decoded(serdes.key, key),
    value: value && decoded(serdes.value, value),
    ...(letter !== undefined && { letter }),
  };
}

/** Undefined: it is none. */
function letterIn(headers: readonly { readonly name: string; readonly value: Buffer | undefined }[]): CondemnedRecord | undefined {
  // The record's own may begin so too: of one that had been a letter before.
  const first = headers.findLastIndex(({ name }) => name === `${LETTER_HEADER}job`);
  if (first < 0) return undefined;
  const said = new Map(headers.slice(first).map(({ name, value }) => [name, value?.toString() ?? '']));
  const of = (name: string) => said.get(`${LETTER_HEADER}${name}`) ?? '';
  const error = { errorClass: of('error.class'), message: of('error.message'), stack: of('error.stack') };
  const reason = { stage: of('stage'), operator: of('operator'), attempts: Number(of('attempts')), ...error };
  return { topic: of('topic'), partition: Number(of('partition')), offset: Number(of('offset')), reason };
}

function partOf(bytes: Buffer, start: number, end: number): Buffer | undefined {
  // Of its own: a serde may keep a view on it.
  return start < 0 ? undefined : Buffer.from(bytes.subarray(start, end));
}

/** What no serde reads comes as text, or as bytes where it is none. */
function decoded(serde: Serde<unknown> | undefined, bytes: Buffer): unknown {
  try {
    if (serde !== undefined) return serde.read(bytes, 0, bytes.length);
  } catch {
    // It was written by another one.
  }
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : bytes;
}

const FETCH_BYTES = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 200;

/** Undefined: where it wrote is not in the committable, because it was not known before the decision. */
export function writtenInLog(committable: Committable): readonly WrittenRange[] | undefined {
  if (committable.connector !== 'kafka') return undefined;
  const { written, marker } = kafkaCommittable(committable);
  return marker === undefined ? written : undefined;
}

/**
 * The rows of a transaction, from the logs that it wrote to. They are there whether it was committed or, aborted by the broker, sent again
 * elsewhere: what was sent was the same. Undefined: retention has taken some of them.
 *
 * @throws KafkaProblem
 */
export async function rowsInLog(kafka: LogRequests, committable: Committable, sink: ReadSink): Promise<OutputRow[] | undefined> {
  const { written, producerId } = kafkaCommittable(committable);
  const rows: OutputRow[] = [];
  for (const range of written) {
    const batches = await batchesIn(kafka, range, BigInt(producerId));
    if (batches === undefined) return undefined;
    rows.push(...rowsOfBatches(batches, `${range.topic}-${range.partition}`, serdesAt(sink.spec, range.topic)));
  }
  return rows;
}

/** The batches of one producer between these offsets, control batches left out. */
async function batchesIn(
  kafka: LogRequests,
  { topic, partition, first, last }: WrittenRange,
  producerId: bigint,
): Promise<Buffer | undefined> {
  const own: Buffer[] = [];
  for (let offset = first; offset <= last; ) {
    const [fetched] = await kafka.fetch([{ topic, partition, offset, maxBytes: FETCH_BYTES }], {
      maxBytes: FETCH_BYTES,
      maxWaitMs: FETCH_WAIT_MS,
      minBytes: 1,
      isolation: 'read_uncommitted',
    });
    if (fetched?.answer === 'OFFSET_OUT_OF_RANGE') return undefined;
    const where = `topic ${topic}, partition ${partition}, offset ${offset}`;
    if (fetched === undefined || fetched.answer !== 'NONE')
      throw new KafkaProblem(fetched?.answer ?? 'NO_ANSWER', `${where}: Fetch was answered ${fetched?.answer}`, true);
    const begun = offset;
    for (const { bytes, next, producer } of wholeBatches(fetched.records)) {
      if (next <= begun) continue;
      if (producer === producerId && next - 1 <= last) own.push(Buffer.from(bytes));
      offset = next;
    }
    if (offset === begun) throw new KafkaProblem('NONE', `${where}: nothing comes behind it, up to ${last}`, true);
  }
  return Buffer.concat(own);
}

function* wholeBatches(records: Buffer): Generator<{ readonly bytes: Buffer; readonly next: number; readonly producer: bigint }> {
  for (let at = 0; at + BATCH.records <= records.length; ) {
    const end = at + BATCH.lengthEnd + records.readInt32BE(at + BATCH.length);
    if (end > records.length) return;
    const next = Number(records.readBigInt64BE(at)) + records.readInt32BE(at + BATCH.lastOffsetDelta) + 1;
    yield { bytes: records.subarray(at, end), next, producer: records.readBigInt64BE(at + BATCH.producerId) };
    at = end;
  }
}
