import { byName, ofName } from '../../config/by-name.ts';
import { formerUids } from '../../graph/fingerprint.ts';
import { broadcastStateName } from '../../graph/job.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { JobSettings } from '../coordinator/context.ts';

/**
 * An epoch as this job names what it has: what was kept under a uid that a source or an operator had formerly is kept under the one that it
 * has now. The same object when all has its name. What it is, the epoch itself says, not the row of its job: an epoch may be older than that.
 */
export function underNewNames<M extends Manifest>(manifest: M, { fingerprint }: Pick<JobSettings, 'fingerprint'>): M {
  const names = newNames(manifest, formerUids(fingerprint));
  if (names.size === 0) return manifest;
  const named = <T>(of: Readonly<Record<string, T>>): Record<string, T> =>
    byName(Object.entries(of).map(([name, value]): [string, T] => [names.get(name) ?? name, value]));
  const { offsets, topicIds, state, time, parallelism } = manifest;
  return {
    ...manifest,
    offsets: named(offsets),
    ...(topicIds !== undefined && { topicIds: named(topicIds) }),
    state: named(state),
    ...(parallelism !== undefined && { parallelism: named(parallelism) }),
    ...(time !== undefined && {
      time: {
        ...time,
        sources: named(time.sources),
        stages: named(time.stages),
        ...(time.late !== undefined && { late: named(time.late) }),
      },
    }),
  };
}

/** By the name under which something is kept, that of now. A name of now under which there is something already is nobody's new name. */
function newNames({ offsets, state }: Manifest, formerly: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, string> {
  const isKept = (uid: string) =>
    ofName(offsets, uid) !== undefined || ofName(state, uid) !== undefined || ofName(state, broadcastStateName(uid)) !== undefined;
  return new Map(
    [...formerly].flatMap(([uid, names]) => {
      const former = isKept(uid) ? undefined : names.find(isKept);
      return former === undefined ? [] : [[former, uid] as const, [broadcastStateName(former), broadcastStateName(uid)] as const];
    }),
  );
}
