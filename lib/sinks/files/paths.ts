import type { PoolScope, SinkPlace } from '../connector.ts';

const MOST_PATH_BYTES = 600;
const MOST_SEGMENT_BYTES = 120;
/** Folders of this name hold the lists of what epochs have written. */
const MANIFESTS = '_manifests';
const EPOCH_DIGITS = 12;

/** What an author's function gave as the folder of a row. Throws `TypeError` when it is none; empty: no folder. */
export function checkedPath(path: unknown): string {
  if (typeof path !== 'string') throw new TypeError(`path gave ${typeof path}, and must give a string: folders with / between them`);
  if (path === '') return path;
  const isFolder = (segment: string) =>
    segment !== '' && !segment.startsWith('.') && Buffer.byteLength(segment) <= MOST_SEGMENT_BYTES && !/[\p{Cc}\\]/u.test(segment);
  const segments = path.split('/');
  const isGood = path.isWellFormed() && Buffer.byteLength(path) <= MOST_PATH_BYTES && segments[0] !== MANIFESTS && segments.every(isFolder);
  if (isGood) return path;
  throw new TypeError(
    `path gave ${JSON.stringify(path)}, and must give folders with / between them: at most ${MOST_PATH_BYTES} bytes, each 1 to ${MOST_SEGMENT_BYTES} bytes that do not begin with a dot and have no \\ or control character, the first not ${MANIFESTS}`,
  );
}

/** What the names of all files of one sink subtask in one epoch begin with. No other job, nor another life of it, makes the same. */
export function stemOf({ job, incarnation, sink, subtask, epoch }: SinkPlace): string {
  return `${job}-${incarnation}-${sink}-${subtask}-${String(epoch).padStart(EPOCH_DIGITS, '0')}`;
}

export function keyOf(folder: string, stem: string, number: number, extension: string): string {
  const name = `${stem}-${number}.${extension}`;
  return folder === '' ? name : `${folder}/${name}`;
}

export function manifestKey(stem: string): string {
  return `${MANIFESTS}/${stem}.json`;
}

/** Is a file of that key one of the job's, in this incarnation and of these sinks? */
export function isOwnKey(key: string, { job, incarnation, sinks }: PoolScope): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return Object.keys(sinks).some((sink) => {
    const begin = `${job}-${incarnation}-${sink}-`;
    return name.startsWith(begin) && /^\d+-\d{12}(-\d+)?\.[a-z.]+$/.test(name.slice(begin.length));
  });
}
