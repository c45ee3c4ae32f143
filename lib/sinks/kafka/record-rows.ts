import { inCluster } from '../../config/clusters.ts';
import { ATTRIBUTE, BATCH } from '../../format/batch-layout.ts';
import { RecordSetReader } from '../../format/record-set-reader.ts';
import type { Serde } from '../../format/serde.ts';
import { batchesOf, stampPlainBatch } from '../../format/stamp-batches.ts';
import type { CondemnedRecord } from '../../protocol/requests.ts';
import { decoded, type OutputRow } from '../output-row.ts';
import { LETTER_HEADER } from './dead-letters.ts';
import type { KafkaSinkSpec } from './spec.ts';

/** What is not of the record but of the try: how often, and with which stack, it failed. */
const OF_THE_TRY = ['error.message', 'error.stack', 'attempts'].map((name) => `${LETTER_HEADER}${name}`);

/** The records of whole batches, whoever produced them. */
export function rowsOfBatches(batches: Buffer, place: string, { key, value }: RecordSerdes): OutputRow[] {
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

/** A serde may do something else at each topic of a sink. Without any, what is there comes as text or bytes. */
export function serdesAt(spec: KafkaSinkSpec | undefined, topic: string): RecordSerdes {
  return spec?.topics.find((each) => inCluster(spec.cluster, each.topic) === topic) ?? {};
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
