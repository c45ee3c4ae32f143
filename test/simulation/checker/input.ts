import type { StartingOffsets } from '../../../lib/config/starting-offsets.ts';
import type { HeldAs } from '../../../lib/epoch/lease/held.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { Partition } from '../models/partition.ts';
import { JOB, shapeOf } from '../sim-job.ts';
import type { Arrivals } from './arrivals.ts';
import { own } from './contents.ts';
import type { LeftOut } from './dead-letters.ts';
import type { InputRecord } from './interpreter/epoch.ts';
import { readCommitted } from './reader.ts';
import type { Scene } from './scene.ts';

/** Input that is gone, as a coordinator says it. */
export type Gap = Extract<CoordinatorEvent, { event: 'data-loss' }>;

/**
 * The input of an epoch: of each partition from where the epoch before ended to where this one did, and no further than a
 * reader can read (I3). What was deleted before it was read is left out only if that was said, and is so; the topic is the one
 * whose id the epoch names.
 */
export class Input {
  readonly #scene: Scene;
  readonly #startsAt: StartingOffsets;
  readonly #arrivals: Arrivals;
  /** What was said last, by incarnation, generation, epoch, topic and partition. */
  readonly #gaps = new Map<string, Gap>();

  constructor(scene: Scene, startsAt: StartingOffsets, arrivals: Arrivals) {
    this.#scene = scene;
    this.#startsAt = startsAt;
    this.#arrivals = arrivals;
  }

  /** A coordinator says what input its next epoch leaves out. */
  takeDataLoss(tenure: HeldAs, gap: Gap): void {
    this.#gaps.set(`${ofTenure(tenure)} ${gap.epoch} ${gap.topic} ${gap.partition}`, gap);
  }

  /** An attempt came to nothing, and so did those that built on it: what they said was gone the next ones say again, if it is. */
  takeFailedAttempt(tenure: HeldAs, failed: number): void {
    for (const [key, { epoch }] of this.#gaps) if (key.startsWith(`${ofTenure(tenure)} `) && epoch >= failed) this.#gaps.delete(key);
  }

  /** By source uid, the records that were processed, as they came to its subtasks. */
  of(manifest: Manifest, parent: Manifest | undefined, leftOut: LeftOut): ReadonlyMap<string, readonly InputRecord[]> {
    const input = new Map<string, readonly InputRecord[]>();
    for (const [uid, topic] of shapeOf(this.#scene.job).sources) {
      const records = this.#rangesOf(manifest, parent, uid, topic).filter((record) => !leftOut.take(record));
      const { arrived, left } = this.#arrivals.inOrder(manifest.decisionId, uid, records);
      const [first] = left;
      if (first !== undefined)
        this.#scene.fail(
          'I3',
          `epoch ${manifest.epoch} counts ${left.length} records of ${topic} as read that nobody brought ${uid}, offset ${first.offset} of partition ${first.partition} first`,
        );
      input.set(uid, arrived);
    }
    leftOut.checkAllTaken();
    return input;
  }

  #rangesOf(manifest: Manifest, parent: Manifest | undefined, uid: string, topic: string): InputRecord[] {
    const { fail, broker } = this.#scene;
    const { epoch } = manifest;
    const known = own(own(parent?.offsets, uid), topic);
    const [knownId, id] = [parent, manifest].map((of) => own(own(of?.topicIds, uid), topic));
    return broker.catalog.logsOf(topic, id).flatMap((log) => {
      const { partition } = log;
      const where = `partition ${partition} of ${topic}`;
      const to = own(own(manifest.offsets, uid), topic)?.[partition] ?? 0;
      // What a source starts from is not input of the job.
      const from = known === undefined ? to : this.#beginOf(manifest, log, known[partition] ?? 0, knownId);
      if (known === undefined && this.#startsAt === 'earliest' && !log.starts.includes(to))
        fail('I3', `${uid} starts at offset ${to} of ${where} in epoch ${epoch}, and was to start at the first`);
      if (to < from) fail('I3', `epoch ${epoch} goes back in ${where}: from ${from} to ${to}`);
      if (to > log.stableEnd) fail('I3', `epoch ${epoch} read ${where} to ${to}, beyond its last stable offset ${log.stableEnd}`);
      return readCommitted(log, from, to).map(({ offset, content }) => ({ ...content, topic, partition, offset }));
    });
  }

  #beginOf({ epoch }: Manifest, log: Partition, known: number, knownId: string | undefined): number {
    const row = this.#scene.table.row(JOB);
    const said = row && this.#gaps.get(`${ofTenure(row)} ${epoch} ${log.topic} ${log.partition}`);
    if (knownId !== undefined && knownId !== log.topicId && known > 0) return this.#beginOfAnother(epoch, log, said, known, knownId);
    if (said === undefined || said.from !== known) return known;
    const isTrue = log.starts.includes(said.to) && said.from < said.to && said.count === said.to - said.from;
    if (!isTrue)
      this.#scene.fail(
        'I3',
        `epoch ${epoch} leaves out ${said.from} to ${said.to} of ${log.topic}-${log.partition}, which were not deleted`,
      );
    return said.to;
  }

  /** The topic was made anew since: an offset of the one before says nothing of it, and that was said. */
  #beginOfAnother(epoch: number, log: Partition, said: Gap | undefined, known: number, knownId: string): number {
    const isTrue = said?.ids?.read === knownId && said.ids.found === log.topicId && said.from === known && log.starts.includes(said.to);
    if (isTrue) return said.to;
    const where = `${log.topic}-${log.partition}`;
    this.#scene.fail('I3', `epoch ${epoch} takes offset ${known} of ${where} as ${knownId} for one of ${log.topicId}`);
    return known;
  }
}

function ofTenure({ incarnation, generation }: HeldAs): string {
  return `${incarnation}/${generation}`;
}
