import type { LongOutcome } from './long-run.ts';
import type { Sample } from './services.ts';

type Measure = Exclude<keyof Sample, 'atMs' | 'heapBytes' | 'jobRowBytes'>;
/** The job's own row is bounded by a number: it remembers the last starts from savepoints. */
export const MEASURES: readonly Measure[] = ['rows', 'lastingRows', 'tableBytes', 'blobs', 'blobBytes'];
const MOST_JOB_ROW_BYTES = 12_000;
/**
 * Snapshots: of two operators of three subtasks a base, 20 deltas, and what three retained epochs still name of those before, 144; a savepoint of
 * two subtasks, 84. The rest waits for a collection, each ten seconds: exchanges and output of as many epochs.
 */
const MOST_BLOBS = 450;

/** The most of each measure in a part of a run. */
export function mostIn(samples: readonly Sample[], fromMs: number, toMs: number): Readonly<Record<Measure, number>> {
  const part = samples.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
  return Object.fromEntries(MEASURES.map((measure) => [measure, Math.max(...part.map((sample) => sample[measure]))])) as Record<
    Measure,
    number
  >;
}

/** What was more in the last part of a run than in the first: nothing, if what is kept is bounded. */
export function grown(
  samples: readonly Sample[],
  first: readonly [number, number],
  last: readonly [number, number],
  allowed = ALLOWED,
): string[] {
  const before = mostIn(samples, ...first);
  const after = mostIn(samples, ...last);
  const jobRow = Math.max(...samples.map(({ jobRowBytes }) => jobRowBytes));
  if (jobRow > MOST_JOB_ROW_BYTES) return [`the job's row: ${jobRow} bytes`];
  const blobs = Math.max(...samples.map((sample) => sample.blobs));
  if (blobs > MOST_BLOBS) return [`blobs: ${blobs}`];
  return MEASURES.flatMap((measure) =>
    after[measure] > before[measure] * (1 + allowed) ? [`${measure}: ${before[measure]} at first, ${after[measure]} in the end`] : [],
  );
}

/** Numbers have more digits as epochs go on, and failures come at other moments of a period. */
const ALLOWED = 0.03;

/** What collection and its kin ask for, for each epoch: counts of calls, and of what they answered. */
export function askedPerEpoch({ calls, epochs }: LongOutcome): Readonly<Record<string, number>> {
  const of = (api: string) => calls.of(api);
  return {
    lists: of('list').calls / epochs,
    listed: of('list').items / epochs,
    mostListed: of('list').mostItems,
    queries: (of('listEpochs').calls + of('listSavepoints').calls) / epochs,
    rowsQueried: (of('listEpochs').items + of('listSavepoints').items) / epochs,
    mostRowsQueried: of('listEpochs').mostItems,
    rowsRead: (of('readEpoch').calls + of('readJob').calls) / epochs,
    blobsRead: of('get').calls / epochs,
    blobsWritten: of('put').calls / epochs,
  };
}
