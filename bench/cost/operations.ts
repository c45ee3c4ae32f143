/**
 * What a job asks of AWS. The counts are those of the real coordinator and stages: test/simulation/operations.test.ts counts
 * the calls of a run and compares. Sizes and times are estimated or assumed, as each says.
 */
export interface Job {
  readonly recordsPerSecond: number;
  readonly recordBytes: number;
  readonly intervalMs: number;
  /** Subtasks of each stage: one source, one operator, one sink. */
  readonly parallelism: number;
  readonly inlineBlobBytes: number;
  /** Bytes of keyed state that an epoch changes. */
  readonly changedStateBytes: number;
  readonly stateBytes: number;
}

/** Numbers of calls, and units of DynamoDB. */
export interface Operations {
  readonly invocations: number;
  readonly stageMs: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly puts: number;
  readonly gets: number;
  readonly lists: number;
  readonly logBytes: number;
  /** Of rows that stay for a day. */
  readonly rowBytes: number;
}

/** Bytes of a manifest's own, without blobs inside: estimated for the word count. */
const MANIFEST_BYTES = 1_400;
/** Of the job row: estimated. */
const JOB_ROW_BYTES = 900;
/** An inline blob is base64. */
const INLINE_GROWTH = 4 / 3;
/** CPU of a word in all stages on one core (docs/speed.md): 23.2 s for 32 M. */
const MICROSECONDS_PER_RECORD = 0.73;
/** Assumed: long records cost about what memory bandwidth does, in several passes. */
const MICROSECONDS_PER_BYTE = 0.005;
/** Of an invocation with almost nothing to do, without its blobs; Kafka's answers are most of it. Estimated from runs with a broker on the same machine. */
const READ_MS = 12;
const PROCESS_MS = 8;
const PREPARE_MS = 15;
const COMMIT_MS = 8;
/** Assumed of S3: nothing here has its latency. */
const BLOB_MS = 30;
const BLOB_BYTES_PER_MS = 80_000;
/** Of the line with the metrics of an epoch, on the emulator; a job that is well logs nothing else. */
const LOG_BYTES_PER_EPOCH = 1_000;
/** Exchange and staged output, against the input: estimated for words, assumed in general. */
const EXCHANGE_SHARE = 0.6;
const OUTPUT_SHARE = 1.2;

const KB = 1024;

export function recordsOfEpoch({ recordsPerSecond, intervalMs }: Job): number {
  return (recordsPerSecond * intervalMs) / 1000;
}

export function operationsOfEpoch(job: Job): Operations {
  const { parallelism: n } = job;
  const records = recordsOfEpoch(job);
  if (records === 0)
    return { invocations: 0, stageMs: 0, writeUnits: 0, readUnits: 0, puts: 0, gets: 0, lists: 0, logBytes: 0, rowBytes: 0 };
  const inputBytes = records * job.recordBytes;
  // A source subtask writes one segment for each operator subtask.
  const exchange = stored(n * n, inputBytes * EXCHANGE_SHARE, job);
  const output = stored(n, inputBytes * OUTPUT_SHARE, job);
  const state = stored(n, job.changedStateBytes, job);
  const workMs = (records * (MICROSECONDS_PER_RECORD + job.recordBytes * MICROSECONDS_PER_BYTE)) / 1000;
  const blobMs = [exchange, exchange, output, output, state].reduce(
    (sum, { blobs, bytes }) => sum + (blobs > 0 ? n * BLOB_MS + bytes / BLOB_BYTES_PER_MS : 0),
    0,
  );
  const manifestBytes = MANIFEST_BYTES + (output.inlineBytes + state.inlineBytes) * INLINE_GROWTH;
  return {
    // Source, operator and prepare of each subtask; one commit for all of a sink.
    invocations: 3 * n + 1,
    stageMs: n * (READ_MS + PROCESS_MS + PREPARE_MS) + COMMIT_MS + workMs + blobMs,
    // The decision is a transaction of two writes, which cost double; later the row gets its time to live.
    writeUnits: 2 * (units(manifestBytes, KB) + units(JOB_ROW_BYTES, KB)) + units(manifestBytes, KB),
    // A collection reads the manifests that are retained: not more than one for each epoch.
    readUnits: units(manifestBytes, 4 * KB),
    puts: exchange.blobs + output.blobs + state.blobs,
    gets: exchange.blobs + output.blobs,
    lists: 0,
    logBytes: LOG_BYTES_PER_EPOCH,
    rowBytes: manifestBytes,
  };
}

/** What a coordinator does beside its epochs, in each second in which it runs. */
export function operationsOfSecond(job: Job): Operations {
  const collections = 1 / 10;
  const busy = job.recordsPerSecond > 0;
  return {
    invocations: 0,
    stageMs: 0,
    // An epoch renews the lease; without any, every ten seconds. A collection marks what it retires.
    writeUnits: busy ? collections * units(JOB_ROW_BYTES, KB) : (1 / 10) * units(JOB_ROW_BYTES, KB),
    // The row is looked at every two seconds for requests, and by every collection, which makes a query.
    readUnits: 1 / 2 + collections * 2,
    puts: 0,
    gets: 0,
    // What has not changed is listed again each ten minutes.
    lists: busy ? collections : 1 / 600,
    logBytes: 0,
    rowBytes: 0,
  };
}

/** Times of the coordinator's function that nothing here measures: to start, recover and look for input; to see that somebody has the job. */
export const ASSUMED_MS = { startOfCoordinator: 1_500, tickThatLeaves: 50 };

/** A tick that finds an idle job, looks for input and ends: its requests as in the simulation, its time assumed. */
export const IDLE_TICK = { coordinatorMs: ASSUMED_MS.startOfCoordinator, writeUnits: 2, readUnits: 5 };

function stored(blobs: number, bytes: number, { inlineBlobBytes }: Job): { blobs: number; bytes: number; inlineBytes: number } {
  if (bytes === 0) return { blobs: 0, bytes: 0, inlineBytes: 0 };
  return bytes / blobs <= inlineBlobBytes ? { blobs: 0, bytes: 0, inlineBytes: bytes } : { blobs, bytes, inlineBytes: 0 };
}

function units(bytes: number, unitBytes: number): number {
  return Math.ceil(bytes / unitBytes);
}
