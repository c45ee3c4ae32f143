import type { UnderWay } from '../../lib/ports/epoch-store.ts';
import type { ShownStage } from '../server/graph.ts';
import { clockTime } from './text.ts';

/** What a stage was doing when the coordinator said it last. */
export interface AtWork {
  /** For the little room in the drawing. */
  readonly mark: string;
  readonly inWords: string;
}

/** By stage, what it is at: the attempt that it works on, or of a sink the epoch that it commits. Of two the older one. */
export function atWork(underWay: UnderWay | null, stages: readonly Pick<ShownStage, 'id' | 'kind'>[]): ReadonlyMap<string, AtWork> {
  const at = new Map<string, AtWork>();
  for (const { epoch, attempt, plannedAtMs, phase, stages: begun } of underWay?.attempts.toReversed() ?? []) {
    const which = `epoch ${epoch}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
    for (const { id, kind } of stages) {
      const stage = Object.hasOwn(begun, id) ? begun[id] : undefined;
      if (phase === 'working' && stage !== undefined && stage.ms === undefined) {
        const since = clockTime(plannedAtMs + stage.afterMs);
        at.set(id, { mark: `◐ ${epoch} since ${since}`, inWords: `at work on ${which} since ${since} UTC` });
      }
      if (phase === 'committing' && kind === 'sink') at.set(id, { mark: `◑ commits ${epoch}`, inWords: `commits ${which}` });
    }
  }
  return at;
}
