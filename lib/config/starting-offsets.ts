/**
 * Where a source begins that has nothing to go on from; the one grammar of `kafkaSource` and ONCEFLOW_STARTING_OFFSETS:
 *
 * - `earliest`: the oldest record that is there; `latest`: behind the last stable offset.
 * - `group`: the committed offsets of the consumer group (ONCEFLOW_GROUP_ID). A partition for which it has none is refused;
 *   `group:earliest` and `group:latest` say where such a partition begins instead.
 * - `timestamp:1767225600000`, `timestamp:2026-01-01`, `timestamp:2026-01-01T08:00:00+01:00`: the first record that is not
 *   older; where all are, behind the last.
 * - `offsets:0=42,1=17`: these offsets, every partition named; `offsets:0=42,*=earliest` says where the others begin.
 */
export type StartingOffsets = End | 'group' | `group:${End}` | `timestamp:${string}` | `offsets:${string}`;

/** One end of a partition's log. */
export type End = 'earliest' | 'latest';

/** `otherwise`: for partitions without an offset of their own. */
export type StartingPoint =
  | { readonly at: 'earliest' | 'latest' }
  | { readonly at: 'group'; readonly otherwise: End | 'refuse' }
  | { readonly at: 'timestamp'; readonly timestampMs: number }
  | { readonly at: 'offsets'; readonly offsets: ReadonlyMap<number, number>; readonly otherwise: End | 'refuse' };

/** Completes "must be …". */
export const STARTING_OFFSETS_RULE =
  'earliest, latest, group, group:earliest, group:latest, timestamp: with milliseconds since 1970 or an ISO date (a time of day with Z or an offset), or offsets: with partition=offset pairs such as 0=42,1=17 and at most one *=earliest or *=latest';

/** Undefined for a text that breaks the rule. */
export function parseStartingOffsets(text: string): StartingPoint | undefined {
  const colon = text.indexOf(':');
  const [at, detail] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  switch (at) {
    case 'earliest':
    case 'latest':
      return detail === undefined ? { at } : undefined;
    case 'group':
      if (detail === undefined) return { at, otherwise: 'refuse' };
      return isEnd(detail) ? { at, otherwise: detail } : undefined;
    case 'timestamp':
      return parseTimestamp(detail ?? '');
    case 'offsets':
      return parseOffsets(detail ?? '');
    default:
      return undefined;
  }
}

function isEnd(text: string): text is End {
  return text === 'earliest' || text === 'latest';
}

const DIGITS = /^\d{1,15}$/;
/** A time of day needs a zone: without one it would mean another moment on every machine. */
const ISO_DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

function parseTimestamp(text: string): StartingPoint | undefined {
  if (DIGITS.test(text)) return { at: 'timestamp', timestampMs: Number(text) };
  const timestampMs = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
  return timestampMs >= 0 ? { at: 'timestamp', timestampMs } : undefined;
}

const PARTITION_OFFSET = /^(\d{1,9}|\*)=(\d{1,15}|earliest|latest)$/;

function parseOffsets(text: string): StartingPoint | undefined {
  const offsets = new Map<number, number>();
  let otherwise: End | 'refuse' = 'refuse';
  for (const pair of text.split(',')) {
    const [, partition = '', offset = ''] = PARTITION_OFFSET.exec(pair.trim()) ?? [];
    if (partition === '*' && isEnd(offset) && otherwise === 'refuse') otherwise = offset;
    else if (partition !== '*' && DIGITS.test(offset) && !offsets.has(Number(partition))) offsets.set(Number(partition), Number(offset));
    else return undefined;
  }
  return offsets.size === 0 ? undefined : { at: 'offsets', offsets, otherwise };
}
