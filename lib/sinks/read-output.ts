import { BATCH } from '../format/batch-layout.ts';
import { KafkaProblem, type LogRequests } from '../ports/kafka-requests.ts';
import type { Committable } from '../protocol/committable.ts';
import { kafkaCommittable, type WrittenRange } from './kafka/committable.ts';
import { rowsOfBatches, serdesAt } from './kafka/record-rows.ts';
import type { ReadSink } from './kinds.ts';
import type { OutputRow } from './output-row.ts';

/* What an epoch wrote to topics, from their logs. */

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
  const spec = sink.spec?.kind === 'kafka' ? sink.spec : undefined;
  const { written, producerId } = kafkaCommittable(committable);
  const rows: OutputRow[] = [];
  for (const range of written) {
    const batches = await batchesIn(kafka, range, BigInt(producerId));
    if (batches === undefined) return undefined;
    rows.push(...rowsOfBatches(batches, `${range.topic}-${range.partition}`, serdesAt(spec, range.topic)));
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
