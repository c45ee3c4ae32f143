import { byName } from '../config/by-name.ts';
import { CorruptBlobError } from '../format/blob.ts';
import type { EpochOutput } from '../operators/epoch-output.ts';
import { BlobConflictError, BlobMissingError } from '../ports/blob-store.ts';
import type { Clock, Random } from '../ports/clock.ts';
import { KafkaProblem } from '../ports/kafka-requests.ts';
import { RegistryProblem } from '../ports/registry-problem.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import type { RecordFault, StageFailed, StageWritten } from '../protocol/answers.ts';
import { MalformedError } from '../protocol/malformed.ts';
import type { Meeting } from '../protocol/requests.ts';
import {
  BadTimestampError,
  DeadLetterTooLargeError,
  MalformedRecordError,
  MissingValueError,
  OversizedRecordError,
  shortened,
  TimerError,
  thrownOf,
  UserCodeError,
} from '../records/errors.ts';
import type { BlobPlace, Blobs } from '../storage/blobs.ts';
import { inlineLimit } from './inline.ts';

/** What every stage works with. */
export interface StageDeps {
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly random: Random;
  /** Blobs up to this size travel inside references, unless many of them meet (`inline.ts`). */
  readonly inlineBlobBytes: number;
}

/** Repeating the epoch cannot help: a person has to act. The message says what, where and how. */
export class FatalStageError extends Error {
  override readonly name = 'FatalStageError';
}

/** Somebody refuses what the stage asks for; a person has to act, if it lasts. The message says what, where and how. */
export class RefusedStageError extends Error {
  override readonly name = 'RefusedStageError';
}

/** The one place where a thrown error becomes an outcome: whether the coordinator repeats the epoch or stops the job. */
export function failureOf(error: unknown): StageFailed {
  const { message, stack } = bounded(thrownOf(error));
  const fault = recordFaultOf(error);
  if (fault !== undefined)
    return { outcome: 'failed', kind: error instanceof UserCodeError ? 'user-code' : 'record', message, stack, fault };
  return { outcome: 'failed', kind: kindOf(error), message, stack };
}

/** Answers, the job row and headers of records hold a few KB of an error: a message may hold a whole record. */
const MAX_ERROR_CHARS = 8_000;

function bounded({ message, stack }: { readonly message: string; readonly stack?: string | undefined }): {
  readonly message: string;
  readonly stack: string | undefined;
} {
  return { message: shortened(message, MAX_ERROR_CHARS), stack: stack === undefined ? undefined : shortened(stack, MAX_ERROR_CHARS) };
}

function recordFaultOf(error: unknown): RecordFault | undefined {
  if (error instanceof UserCodeError) {
    const { operator, record, cause } = error;
    const thrown = thrownOf(cause);
    return { operator, errorClass: thrown.name, ...bounded(thrown), record };
  }
  if (error instanceof OversizedRecordError)
    return { operator: error.sink, errorClass: error.name, ...bounded(error), record: error.record };
  if (error instanceof MalformedRecordError || error instanceof MissingValueError || error instanceof BadTimestampError)
    return { operator: error.source, errorClass: error.name, ...bounded(error), record: error.record };
  return undefined;
}

const fatalErrors = [FatalStageError, MalformedError, DeadLetterTooLargeError, CorruptBlobError, BlobMissingError, BlobConflictError];

function kindOf(error: unknown): 'fatal' | 'refused' | 'transient' {
  if (error instanceof KafkaProblem || error instanceof StoreProblem || error instanceof RegistryProblem)
    return error.retriable ? 'transient' : 'refused';
  if (error instanceof RefusedStageError || error instanceof TimerError) return 'refused';
  return fatalErrors.some((fatal) => error instanceof fatal) ? 'fatal' : 'transient';
}

/** Stores what a stage wrote in one epoch: one blob for each edge, and where an edge leads to several subtasks for each of them. */
export async function writeOutput(
  deps: StageDeps,
  place: BlobPlace & { readonly meeting: Meeting },
  { edges, recordsIn }: EpochOutput,
): Promise<StageWritten> {
  const kinds = {
    exchange: { folder: 'exchange', kind: 'exchange', limit: inlineLimit(deps.inlineBlobBytes, place.meeting.exchanges) },
    staged: { folder: 'output', kind: 'output', limit: inlineLimit(deps.inlineBlobBytes, place.meeting.staged) },
  } as const;
  const underWay = [...edges].map(async ([edge, { how, parts, records }]) => {
    const { folder, kind, limit } = how === 'sink' ? kinds.staged : kinds.exchange;
    const refs = await Promise.all(parts.map((part) => (part === undefined ? null : deps.blobs.write(place, folder, kind, part, limit))));
    return [edge, { parts: refs, records }] as const;
  });
  // Awaited together: a rejection that nobody waits for yet would end the process.
  return { edges: byName(await Promise.all(underWay)), recordsIn };
}
