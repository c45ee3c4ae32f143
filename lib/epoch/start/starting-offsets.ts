import type { StartingPoint } from '../../config/starting-offsets.ts';

/** What Kafka says about a topic when its source's starting offsets are resolved; the index is the partition. */
export interface StartingFacts {
  /** Where each log starts. */
  readonly starts: readonly number[];
  /** Last stable offsets, asked for before `found`. */
  readonly ends: readonly number[];
  /** High watermarks: no record has a later offset. */
  readonly highWatermarks: readonly number[];
  /** Of a group its committed offsets, of a timestamp the first records that are not older; undefined where there is none. */
  readonly found: readonly (number | undefined)[];
}

export type StartingDecision =
  | { readonly outcome: 'resolved'; readonly offsets: readonly number[] }
  /** A person has to say more; `message` completes "source x is to start at …, and". */
  | { readonly outcome: 'refused'; readonly message: string };

/** Starting offsets as numbers. They are stored before the first fetch, so that a crash does not resolve them again. */
export function resolveStart(point: StartingPoint, { starts, ends, highWatermarks, found }: StartingFacts): StartingDecision {
  switch (point.at) {
    case 'earliest':
      return { outcome: 'resolved', offsets: starts };
    case 'latest':
      return { outcome: 'resolved', offsets: ends };
    case 'timestamp':
      // Nothing that new: behind the last. What came between the two questions is behind that end, and is read.
      return { outcome: 'resolved', offsets: ends.map((end, partition) => found[partition] ?? end) };
    case 'group':
      return perPartition(found, point.otherwise, 'group:earliest or group:latest', starts, ends);
    case 'offsets': {
      const own = ends.map((_, partition) => point.offsets.get(partition));
      const strange = strangeOffsets(point.offsets, starts, highWatermarks);
      if (strange.length > 0) return { outcome: 'refused', message: strange.join(', ') };
      return perPartition(own, point.otherwise, '*=earliest or *=latest', starts, ends);
    }
  }
}

function perPartition(
  own: readonly (number | undefined)[],
  otherwise: 'refuse' | 'earliest' | 'latest',
  options: string,
  starts: readonly number[],
  ends: readonly number[],
): StartingDecision {
  const without = ends.flatMap((_, partition) => (own[partition] === undefined ? [partition] : []));
  if (without.length > 0 && otherwise === 'refuse')
    return {
      outcome: 'refused',
      message: `that says nothing of partition ${without.join(', ')}: give the offsets, or add ${options} for the rest`,
    };
  const rest = otherwise === 'earliest' ? starts : ends;
  return { outcome: 'resolved', offsets: rest.map((end, partition) => own[partition] ?? end) };
}

/** Offsets that no record can have: the job would wait for them, or stop, at its first epoch. */
function strangeOffsets(offsets: ReadonlyMap<number, number>, starts: readonly number[], ends: readonly number[]): string[] {
  return [...offsets].flatMap(([partition, offset]) => {
    const [start, end] = [starts[partition], ends[partition]];
    if (start === undefined || end === undefined) return [`the topic has no partition ${partition}: it has ${ends.length}`];
    return offset >= start && offset <= end ? [] : [`partition ${partition} holds the offsets ${start} to ${end}`];
  });
}
