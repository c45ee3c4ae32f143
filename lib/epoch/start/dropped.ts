import { byName } from '../../config/by-name.ts';
import { withoutUids } from '../../graph/fingerprint.ts';
import { broadcastStateName } from '../../graph/job.ts';
import type { PhysicalPlan } from '../../plan/plan.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { Startable } from './startable.ts';

export type Dropped =
  | { readonly outcome: 'dropped'; readonly manifest: Manifest; readonly fingerprint: string }
  /** There is nothing of that uid. */
  | { readonly outcome: 'unknown'; readonly message: string };

/**
 * An epoch without what a person leaves behind of it, by uid. Of a stage that keeps nothing the watermark goes too: what is read again with empty state
 * would be late there.
 */
export function withoutDropped(
  { what, fingerprint }: Pick<Startable, 'what' | 'fingerprint'>,
  manifest: Manifest,
  drop: readonly string[],
  { stages }: Pick<PhysicalPlan, 'stages'>,
): Dropped {
  const left = withoutUids(fingerprint, drop);
  const [unknown] = left.unknown;
  if (unknown !== undefined) {
    const isOfState = left.known.some((uid) => unknown.startsWith(`${uid}:`) || unknown.startsWith(`${uid}.`));
    const why = isOfState ? '. One state alone cannot be left behind: it lies in the snapshots of its operator, with the others' : '';
    return {
      outcome: 'unknown',
      message: `${what} has nothing of uid ${unknown} to leave behind: it has ${left.known.join(', ')} (--drop, ONCEFLOW_START_DROP)${why}`,
    };
  }
  const gone = new Set(drop.flatMap((uid) => [uid, broadcastStateName(uid)]));
  const emptied = stages.filter(
    (stage) => stage.kind === 'operator' && stage.operators.length > 0 && stage.operators.every((uid) => gone.has(uid)),
  );
  const isEmptied = (id: string) => emptied.some((stage) => stage.id === id);
  const without = <T>(of: Readonly<Record<string, T>>) => byName(Object.entries(of).filter(([uid]) => !gone.has(uid)));
  const { offsets, topicIds, state, time } = manifest;
  return {
    outcome: 'dropped',
    fingerprint: left.fingerprint,
    manifest: {
      ...manifest,
      offsets: without(offsets),
      ...(topicIds !== undefined && { topicIds: without(topicIds) }),
      state: without(state),
      ...(time !== undefined && {
        time: { ...time, sources: without(time.sources), stages: byName(Object.entries(time.stages).filter(([id]) => !isEmptied(id))) },
      }),
    },
  };
}
