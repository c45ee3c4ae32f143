import { type AbortedTransaction, RecordSetReader } from '../format/record-set-reader.ts';
import type { Serde } from '../format/serde.ts';
import { bytes } from '../format/serdes.ts';
import { type JobDefinition, JobDefinitionError, type SourceNode } from '../graph/job.ts';
import { DEAD_LETTERS } from '../graph/stages.ts';
import type { CondemnedRecord, DeadLetterReason, RecordPlace } from '../protocol/requests.ts';
import { compileChain, refusePromise } from './chain.ts';
import type { CurrentRecord } from './current-record.ts';
import { type DeadLetterTarget, DeadLetterWriter } from './dead-letters.ts';
import type { SourceOutput, StageContext } from './epoch-output.ts';
import { MalformedRecordError, MissingValueError, OversizedRecordError, UserCodeError } from './errors.ts';
import { StageOutput } from './stage-output.ts';

/** Which records of a chunk belong to the epoch. */
export interface ChunkRange {
  readonly from: number;
  /** The first offset that does not. */
  readonly to: number;
  /** The fetch response's aborted transactions. */
  readonly aborted: readonly AbortedTransaction[];
}

/** Runs a source stage's operators over fetched records. One epoch: `begin`, `consume` for each chunk, `finish`. */
export interface SourceRuntime {
  /**
   * Starts an epoch. Whatever an epoch that was not finished has left is gone. With `deadLetters` records that cannot be
   * read go there; without, they stop the job. `condemned` goes there unread.
   */
  begin(deadLetters?: DeadLetterTarget, condemned?: CondemnedRecord): void;
  /**
   * Runs the chunk's committed records within [from, to). `next` is the offset at which to go on. Throws
   * `UserCodeError`; `MalformedRecordError`, `MissingValueError` or `OversizedRecordError` for a record that can never
   * be processed; `MalformedError` when the chunk itself is damaged.
   */
  consume(topic: string, partition: number, records: Buffer, range: ChunkRange): { readonly next: number; readonly records: number };
  finish(): SourceOutput;
}

/** @param maxUnpackedBytes the most that one compressed batch may unpack to; 64 MiB when undefined */
export function createSourceRuntime(job: JobDefinition, stageId: string, context: StageContext, maxUnpackedBytes?: number): SourceRuntime {
  const source = job.nodes.find((node): node is SourceNode => node.kind === 'source' && node.uid === stageId);
  if (source === undefined) throw new JobDefinitionError(`job ${job.name} has no source ${stageId}`);
  const current: CurrentRecord = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined };
  const output = new StageOutput(job, context, current);
  const push = compileChain(job, source.id, output);
  const reader = new RecordSetReader();
  const readValue = source.select === undefined ? valueReader(source, reader) : selectReader(source, source.select, reader);
  const letters = new DeadLetterWriter(context);
  let condemned: CondemnedRecord | undefined;
  let recordsIn = 0;
  let oldestTimestampMs = Number.POSITIVE_INFINITY;
  let open = false;

  /** The reader's record is one that cannot be read, and such records are left out; or it fails where it should. */
  function leaveOut(error: unknown, place: RecordPlace): void {
    if (error instanceof UserCodeError || error instanceof OversizedRecordError) throw error.at(place);
    if (!letters.isOpen || !(error instanceof MalformedRecordError || error instanceof MissingValueError)) throw error;
    letters.append(place, reader, unreadable(error));
  }

  return {
    begin(deadLetters, toLeaveOut) {
      output.begin();
      letters.begin(deadLetters);
      condemned = toLeaveOut;
      recordsIn = 0;
      oldestTimestampMs = Number.POSITIVE_INFINITY;
      open = true;
    },

    consume(topic, partition, records, range) {
      if (!open) throw new Error(`source ${source.uid}: consume without begin, or after a failure`);
      open = false;
      let count = 0;
      const condemnedAt = condemned?.topic === topic && condemned.partition === partition ? condemned.offset : -1;
      reader.open(records, { ...range, maxUnpackedBytes, describe: () => `topic ${topic}, partition ${partition}` });
      for (let more = true; more; ) {
        try {
          while (reader.next()) {
            count++;
            // Below 0 there is none, or what somebody's software takes for none.
            if (reader.timestamp >= 0 && reader.timestamp < oldestTimestampMs) oldestTimestampMs = reader.timestamp;
            if (reader.offset === condemnedAt && condemned !== undefined) {
              letters.append(condemned, reader, condemned.reason);
              continue;
            }
            current.timestamp = reader.timestamp;
            push(readValue(topic, partition));
          }
          more = false;
        } catch (error) {
          // The reader stands at the record still: it goes on behind it.
          leaveOut(error, { topic, partition, offset: reader.offset });
        }
      }
      recordsIn += count;
      open = true;
      return { next: reader.nextOffset, records: count };
    },

    finish() {
      if (!open) throw new Error(`source ${source.uid}: finish without begin, or after a failure`);
      open = false;
      const { staged, ...finished } = output.finish(recordsIn);
      const left = letters.finish();
      return {
        ...finished,
        staged: left === undefined ? staged : new Map([...staged, [DEAD_LETTERS, left]]),
        deadLetters: letters.records,
        oldestTimestampMs: oldestTimestampMs === Number.POSITIVE_INFINITY ? undefined : oldestTimestampMs,
      };
    },
  };
}

function unreadable(error: MalformedRecordError | MissingValueError): DeadLetterReason {
  const { source, reason } = error;
  const cause = error.cause instanceof Error ? error.cause : error;
  return { stage: source, operator: source, errorClass: error.name, message: reason, stack: cause.stack, attempts: 1 };
}

type ReadValue = (topic: string, partition: number) => unknown;

/** The stream is the records' values. */
function valueReader({ uid, value: serde }: SourceNode, reader: RecordSetReader): ReadValue {
  return (topic, partition) => {
    if (reader.valueStart < 0) throw new MissingValueError({ topic, partition, offset: reader.offset }, uid);
    try {
      return serde.read(reader.bytes, reader.valueStart, reader.valueEnd);
    } catch (cause) {
      const shown = reader.bytes.subarray(reader.valueStart, reader.valueEnd);
      throw new MalformedRecordError('value', { topic, partition, offset: reader.offset }, uid, serde.name, shown, cause);
    }
  };
}

/** The stream is what the user's `select` makes of the records. */
function selectReader({ uid, key, value }: SourceNode, select: NonNullable<SourceNode['select']>, reader: RecordSetReader): ReadValue {
  const keySerde = key ?? (bytes as Serde<unknown>);
  const readPart = (part: 'key' | 'value', serde: Serde<unknown>, start: number, end: number, place: RecordPlace): unknown => {
    if (start < 0) return undefined;
    try {
      return serde.read(reader.bytes, start, end);
    } catch (cause) {
      throw new MalformedRecordError(part, place, uid, serde.name, reader.bytes.subarray(start, end), cause);
    }
  };
  return (topic, partition) => {
    const { offset, timestamp } = reader;
    const place = { topic, partition, offset };
    const recordKey = readPart('key', keySerde, reader.keyStart, reader.keyEnd, place);
    const recordValue = readPart('value', value, reader.valueStart, reader.valueEnd, place);
    // Copies, which may be kept: what is read is views on the response.
    const headers = reader.headers().map(({ key, value }) => ({ key, value: value === undefined ? undefined : Buffer.from(value) }));
    try {
      const result = select({ key: recordKey, value: recordValue, headers, timestamp, topic, partition, offset });
      if (typeof result === 'object') refusePromise(result);
      return result;
    } catch (cause) {
      throw new UserCodeError(`select of ${uid}`, cause);
    }
  };
}
