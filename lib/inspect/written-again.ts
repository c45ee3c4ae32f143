import { ofName } from '../config/by-name.ts';
import type { JobRow } from '../ports/epoch-store.ts';
import type { Manifest, SourceOffsets } from '../protocol/manifest.ts';
import { CONNECTOR, kafkaCommittable } from '../sinks/kafka/committable.ts';
import type { InspectDeps } from './deps.ts';
import { tryToRead } from './known.ts';
import { manifestIn } from './manifest.ts';

/** What a start from an epoch of before does again: readers have its output already. */
export interface WrittenAgain {
  /** Epochs that were decided since; 0: nothing is written again. */
  readonly epochs: number;
  /** Of so many of them it is not known any more what they wrote: their rows are gone. */
  readonly unknown: number;
  /** Input that is read again: of a partition the offsets `from` … `to` - 1. */
  readonly input: readonly Range[];
  /** Output to topics that was written since: of a partition the offsets `from` … `to`, with those of others in between. */
  readonly output: readonly Range[];
  /** Sinks that wrote elsewhere since, by uid. */
  readonly elsewhere: readonly string[];
}

interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** From where a job is to start. */
export interface StartPoint {
  readonly incarnation: string;
  readonly epoch: number;
  readonly offsets: SourceOffsets;
}

const NOTHING: WrittenAgain = { epochs: 0, unknown: 0, input: [], output: [], elsewhere: [] };

/** @param row of the job; undefined: there is none */
export async function writtenAgainOf(deps: InspectDeps, row: JobRow | undefined, from: StartPoint): Promise<WrittenAgain> {
  if (row?.lastCompleted === undefined) return NOTHING;
  const { job, incarnation, lastCompleted } = row;
  const isSame = incarnation === from.incarnation;
  // The first row of an incarnation that began at a savepoint has no output of its own.
  const own = await deps.epochs.listEpochs(job, incarnation, isSame ? from.epoch : -1);
  const before = isSame ? [] : await deps.epochs.listEpochs(job, from.incarnation, from.epoch);
  const rows = [...before, ...own];
  if (rows.length === 0) return NOTHING;
  const read = await Promise.all(rows.map((each) => tryToRead(() => manifestIn(deps, each))));
  const manifests = read.flatMap((each) => (each.known ? [each.of] : []));
  const last = manifests.findLast((manifest) => manifest.epoch === lastCompleted.epoch && manifest.incarnation === incarnation);
  const count = isSame ? lastCompleted.epoch - from.epoch : rows.length;
  return {
    epochs: count,
    unknown: count - manifests.length,
    input: last === undefined ? [] : rangesBetween(from.offsets, last.offsets),
    ...outputOf(manifests),
  };
}

function rangesBetween(before: SourceOffsets, after: SourceOffsets): Range[] {
  return Object.entries(after).flatMap(([uid, topics]) =>
    Object.entries(topics).flatMap(([topic, ends]) =>
      ends.flatMap((to, partition) => {
        const from = ofName(ofName(before, uid), topic)?.[partition] ?? 0;
        return from < to ? [{ topic, partition, from, to }] : [];
      }),
    ),
  );
}

function outputOf(manifests: readonly Manifest[]): Pick<WrittenAgain, 'output' | 'elsewhere'> {
  const committables = manifests.flatMap((manifest) => manifest.committables);
  const written = committables.filter(({ connector }) => connector === CONNECTOR).flatMap((each) => kafkaCommittable(each).written);
  const byPartition = Map.groupBy(written, ({ topic, partition }) => `${topic} ${partition}`);
  const output = [...byPartition.values()].map((ranges): Range => {
    const { topic = '', partition = 0 } = ranges[0] ?? {};
    return { topic, partition, from: Math.min(...ranges.map(({ first }) => first)), to: Math.max(...ranges.map(({ last }) => last)) };
  });
  const elsewhere = [...new Set(committables.filter(({ connector }) => connector !== CONNECTOR).map(({ sink }) => sink))];
  return { output, elsewhere };
}
