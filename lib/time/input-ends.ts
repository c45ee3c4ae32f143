import { ofName } from '../config/by-name.ts';
import type { SourceStage } from '../plan/plan.ts';
import type { SourceOffsets } from '../protocol/manifest.ts';
import type { SourceRange } from '../protocol/requests.ts';

/** Where the input ended when an epoch was planned: by source stage, then partition, of those that had any. */
export type InputEnds = ReadonlyMap<string, ReadonlyMap<number, number>>;

export const NO_INPUT: InputEnds = new Map();

/** Of all the input that there was, whatever of it the epoch takes. */
export function inputEnds(ranges: Readonly<Record<string, readonly (readonly SourceRange[])[]>>): InputEnds {
  const ends = Object.entries(ranges).map(
    ([source, subtasks]) => [source, new Map(subtasks.flat().map(({ partition, bound }) => [partition, bound]))] as const,
  );
  return new Map(ends.filter(([, partitions]) => partitions.size > 0));
}

/** Is there input of the partition behind these offsets? */
export function hasInputBehind(offsets: SourceOffsets, ends: InputEnds, { id, topic }: SourceStage, partition: number): boolean {
  const end = ends.get(id)?.get(partition);
  return end !== undefined && end > (ofName(ofName(offsets, id), topic)?.[partition] ?? 0);
}
