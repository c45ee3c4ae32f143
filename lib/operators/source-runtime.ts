import { NotPreparedError } from '../format/not-prepared.ts';
import { type AbortedTransaction, RecordSetReader } from '../format/record-set-reader.ts';
import { JobDefinitionError, type SourceNode } from '../graph/job.ts';
import { ERRORS } from '../plan/dead-letters.ts';
import { edgesFrom } from '../plan/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { SourceTimeAsk } from '../protocol/event-time.ts';
import type { CondemnedRecord, DeadLetterReason, RecordPlace } from '../protocol/requests.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import { BadTimestampError, MalformedRecordError, MissingValueError, OversizedRecordError, UserCodeError } from '../records/errors.ts';
import { type DeadLetterOrigin, DeadLetterWriter } from '../sinks/kafka/dead-letters.ts';
import { AsyncCalls, type Blame } from './async-calls.ts';
import { compileChain } from './chain.ts';
import type { CompiledJob } from './compiled-job.ts';
import { EdgeWriters } from './edge-writers.ts';
import type { SourceOutput, StageContext } from './epoch-output.ts';
import { EventTimes } from './event-times.ts';
import { operatorKinds } from './kinds.ts';
import { originOfRecord } from './origins.ts';

/** Which records of a chunk belong to the epoch. */
export interface ChunkRange {
  readonly from: number;
  /** The first offset that does not. */
  readonly to: number;
  /** The fetch response's aborted transactions. */
  readonly aborted: readonly AbortedTransaction[];
}

export interface Consumed {
  readonly next: number;
  readonly records: number;
  readonly isHeld: boolean;
  /** Its serde cannot read the record at `next` yet. @default false */
  readonly isLacking?: true;
  /** So many values wait that they are to be settled first. @default false */
  readonly isFull?: true;
}

/** Runs a source stage's operators over fetched records. One epoch: `begin`, `consume` for each chunk, `finish`. */
export interface SourceRuntime {
  /**
   * Starts an epoch. Whatever an epoch that was not finished has left is gone. With `deadLetters` records that cannot be
   * read go to the stage's side output of errors; without, they stop the job. `condemned` goes there unread. A source that has event
   * time needs `time`.
   */
  begin(deadLetters?: DeadLetterOrigin, condemned?: CondemnedRecord, time?: SourceTimeAsk): void;
  /**
   * Runs the chunk's committed records within [from, to). `next` is the offset at which to go on; `isHeld`: not in this epoch, because
   * the partition is far enough ahead of others; `isLacking`: to go on with the same chunk when what is missing is there; `isFull`: when what waits is settled. Throws `UserCodeError`; `MalformedRecordError`, `MissingValueError`, `BadTimestampError`
   * or `OversizedRecordError` for a record that can never be processed; `MalformedError` when the chunk itself is damaged.
   */
  consume(topic: string, partition: number, records: Buffer, range: ChunkRange): Consumed;
  /** Do values wait for functions that do not answer at once? They are to be settled before `finish`. */
  readonly isWaiting: boolean;
  /** Passes on what waits. Throws as `consume` does. @param deadlineMs of the epoch, by `elapsedMs` of the clock */
  settle(clock: Clock, deadlineMs: number): Promise<void>;
  finish(): SourceOutput;
}

/** @param maxUnpackedBytes the most that one compressed batch may unpack to; 64 MiB when undefined */
export function createSourceRuntime(
  { job, plan }: CompiledJob,
  stageId: string,
  context: StageContext,
  maxUnpackedBytes?: number,
): SourceRuntime {
  const source = job.nodes.find((node): node is SourceNode => node.kind === 'source' && node.uid === stageId);
  if (source === undefined) throw new JobDefinitionError(`job ${job.name} has no source ${stageId}`);
  const current: CurrentRecord = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };
  const edges = new EdgeWriters(plan, stageId, context);
  const carriesOrigins = edgesFrom(plan, stageId).some(({ withOrigins }) => withOrigins === true);
  const reader = new RecordSetReader();
  /** Which partition is worked on. */
  const turnedTo = { topic: '', partition: 0 };
  const calls = new AsyncCalls(current, () => blameOn({ ...turnedTo, offset: reader.offset }));
  const push = compileChain({ job, edges, current, calls }, source.id);
  /** Does anything of the chain wait? */
  const waits = calls.any;
  const readValue = operatorKinds.source.open(source, reader);
  const times = source.eventTime === undefined ? undefined : new EventTimes(source.uid, source.eventTime);
  const letters = edges.ofTag(ERRORS, ({ id, to }) => {
    if (to.kind !== 'kafka') throw new Error(`dead letters are records of a topic, and ${id} writes to ${to.kind}`);
    const writer = new DeadLetterWriter(to, id, () => context.facts(id));
    return { writer, push: writer };
  });
  let condemned: CondemnedRecord | undefined;
  let recordsIn = 0;
  let oldestTimestampMs = Number.POSITIVE_INFINITY;
  let open = false;

  /** The reader's record is one that cannot be read, and such records are left out; or it fails where it should. */
  function leaveOut(error: unknown, place: RecordPlace): void {
    if (isOfUser(error)) throw error.at(place);
    if (letters?.isOpen !== true || !isUnreadable(error)) throw error;
    letters.append(place, reader, unreadable(error));
  }

  return {
    begin(deadLetters, toLeaveOut, time) {
      if (deadLetters !== undefined && letters === undefined)
        throw new Error(
          `source ${source.uid} is to leave records out, and its plan has no place for any: the coordinator runs another job`,
        );
      edges.begin();
      letters?.open(deadLetters);
      times?.begin(time);
      calls.begin();
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
      times?.turnTo(topic, partition);
      turnedTo.topic = topic;
      turnedTo.partition = partition;
      reader.open(records, { ...range, maxUnpackedBytes, describe: () => `topic ${topic}, partition ${partition}` });
      for (let more = true; more; ) {
        try {
          while (reader.next()) {
            count++;
            // Below 0 there is none, or what somebody's software takes for none.
            if (reader.timestamp >= 0 && reader.timestamp < oldestTimestampMs) oldestTimestampMs = reader.timestamp;
            if (reader.offset === condemnedAt && condemned !== undefined) {
              letters?.append(condemned, reader, condemned.reason);
              continue;
            }
            const value = readValue(topic, partition);
            current.timestamp = times === undefined ? reader.timestamp : times.take(value, reader);
            if (carriesOrigins) {
              current.origin = originOfRecord(source.uid, partition, reader.offset);
              current.turn++;
            }
            push(value);
            if (times?.isHeld === true || (waits && calls.isFull)) break;
          }
          more = false;
        } catch (error) {
          if (error instanceof NotPreparedError) {
            recordsIn += count - 1;
            open = true;
            return { next: reader.offset, records: count - 1, isHeld: false, isLacking: true };
          }
          // The reader stands at the record still: it goes on behind it.
          leaveOut(error, { topic, partition, offset: reader.offset });
        }
      }
      recordsIn += count;
      open = true;
      const isFull = waits && calls.isFull && times?.isHeld !== true;
      return { next: reader.nextOffset, records: count, isHeld: times?.isHeld === true, ...(isFull && { isFull }) };
    },

    get isWaiting() {
      return calls.isWaiting;
    },

    settle: (clock, deadlineMs) => calls.settle(clock, deadlineMs),

    finish() {
      if (!open) throw new Error(`source ${source.uid}: finish without begin, or after a failure`);
      open = false;
      return {
        edges: edges.finish(),
        recordsIn,
        oldestTimestampMs: oldestTimestampMs === Number.POSITIVE_INFINITY ? undefined : oldestTimestampMs,
        seen: times?.seen(),
      };
    },
  };
}

/** What fails later is the fault of the record that it was made of. */
function blameOn(record: RecordPlace): Blame {
  return (error) => (isOfUser(error) ? error.at(record) : error);
}

function isOfUser(error: unknown): error is UserCodeError | OversizedRecordError {
  return error instanceof UserCodeError || error instanceof OversizedRecordError;
}

type Unreadable = MalformedRecordError | MissingValueError | BadTimestampError;

function isUnreadable(error: unknown): error is Unreadable {
  return error instanceof MalformedRecordError || error instanceof MissingValueError || error instanceof BadTimestampError;
}

function unreadable(error: Unreadable): DeadLetterReason {
  const { source, reason } = error;
  const cause = error.cause instanceof Error ? error.cause : error;
  return { stage: source, operator: source, errorClass: error.name, message: reason, stack: cause.stack, attempts: 1 };
}
