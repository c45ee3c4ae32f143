import type { StartingOffsets } from '../../../lib/config/starting-offsets.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { Partition } from '../models/partition.ts';
import { shapeOf } from '../sim-job.ts';
import { own } from './contents.ts';
import type { Scene } from './scene.ts';

/** Where the sources of a start go on, and how far their logs could be read when it was asked for. */
export interface Move {
  readonly to: StartingOffsets;
  readonly ends: ReadonlyMap<Partition, number>;
}

export function moveTo({ job, broker }: Scene, to: StartingOffsets): Move {
  const logs = [...shapeOf(job).sources.values()].flatMap((topic) => broker.topics.get(topic) ?? []);
  return { to, ends: new Map(logs.map((log) => [log, log.lastStableOffset])) };
}

/** An epoch that is gone on from with offsets of elsewhere: state and watermarks are its own, and of partitions nothing is known yet. */
export function movedTo(was: Manifest, { offsets, topicIds }: Manifest): Manifest {
  const { time } = was;
  if (time === undefined) return { ...was, offsets, topicIds };
  const sources = Object.fromEntries(Object.entries(time.sources).map(([uid, of]) => [uid, { ...of, partitions: {} }]));
  return { ...was, offsets, topicIds, time: { ...time, sources } };
}

/** Offsets are those of the point that was asked for, in the topics whose ids are beside them (I3). */
export function checkMoved({ broker, fail, job }: Scene, { epoch, offsets, topicIds }: Manifest, { to, ends }: Move): void {
  for (const [uid, topic] of shapeOf(job).sources) {
    const numbers = own(own(offsets, uid), topic);
    // It is new in this build, and begins where new sources do.
    if (numbers === undefined) continue;
    const logs = broker.catalog.logsOf(topic, own(own(topicIds, uid), topic));
    if (logs.length === 0) fail('I3', `${uid} goes on in ${topic}, which was never made with the id ${own(own(topicIds, uid), topic)}`);
    for (const log of logs) {
      const at = numbers[log.partition];
      if (at === undefined) continue;
      const isThere = to === 'earliest' ? log.starts.includes(at) : to === 'latest' ? at >= (ends.get(log) ?? 0) : true;
      if (!isThere || at > log.stableEnd)
        fail('I3', `${uid} goes on at ${at} of ${topic}-${log.partition} behind epoch ${epoch}, and was to go on at ${to}`);
    }
  }
}
