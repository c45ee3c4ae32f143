import { ofName } from '../config/by-name.ts';
import type { PhysicalPlan, SourceStage } from '../plan/plan.ts';
import { sourcesTo } from '../plan/time.ts';
import type { Time } from '../protocol/event-time.ts';
import type { SourceRange } from '../protocol/requests.ts';

type Plan = Pick<PhysicalPlan, 'stages' | 'edges'>;

/**
 * Until their watermarks are above this, the partitions of a source are read in the epoch that begins at `time`. Undefined: as far as
 * they go. It is not below the watermark of any stage behind the source, and the slowest partition is not above that: it is never held.
 */
export function readUpTo(source: SourceStage, time: Time | undefined, plan: Plan): number | undefined {
  const alignWithinMs = source.eventTime?.alignWithinMs;
  if (alignWithinMs === undefined) return undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const stage of plan.stages) {
    if (stage.kind !== 'operator' || !sourcesTo(plan, stage.id).some(({ id }) => id === source.id)) continue;
    const watermark = ofName(time?.stages, stage.id);
    // Where no record has come of some partition yet, nothing says how far ahead another is.
    if (watermark === undefined) return undefined;
    least = Math.min(least, watermark);
  }
  return least === Number.POSITIVE_INFINITY ? undefined : least + alignWithinMs;
}

/** By source stage, then subtask. */
type Ranges = Readonly<Record<string, readonly (readonly SourceRange[])[]>>;

/** The planned input without the partitions that are too far ahead already: they wait for the others. */
export function withoutHeld(ranges: Ranges, time: Time | undefined, plan: Plan): Ranges {
  let aligned = ranges;
  for (const stage of plan.stages) {
    if (stage.kind !== 'source') continue;
    const upToMs = readUpTo(stage, time, plan);
    if (upToMs === undefined) continue;
    const known = ofName(ofName(time?.sources, stage.id)?.partitions, stage.topic) ?? [];
    const isHeld = ({ partition }: SourceRange) => (known[partition]?.watermarkMs ?? upToMs) > upToMs;
    const subtasks = (ofName(ranges, stage.id) ?? []).map((own) => own.filter((range) => !isHeld(range)));
    aligned = { ...aligned, [stage.id]: subtasks };
  }
  return aligned;
}
