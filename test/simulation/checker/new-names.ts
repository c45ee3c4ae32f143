import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { JobShape } from '../sim-job.ts';

/** What build a had under other names, as build b has it. */
export function underNewNames(manifest: Manifest, { formerly, stagesBefore }: JobShape): Manifest {
  if (formerly.size === 0 && stagesBefore.size === 0) return manifest;
  const { offsets, topicIds, state, parallelism, time } = manifest;
  const named = <T>(of: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [formerly.get(name) ?? name, value]));
  // Of build b it has the name of then already; what there is of before besides is one too many.
  const stages = (of: Readonly<Record<string, number>>): Record<string, number> => {
    const now = (name: string) => stagesBefore.get(name) ?? name;
    return Object.fromEntries(Object.entries(named(of)).map(([name, value]) => [now(name) in of ? name : now(name), value]));
  };
  return {
    ...manifest,
    ...{ offsets: named(offsets), state: named(state) },
    ...(topicIds && { topicIds: named(topicIds) }),
    ...(parallelism && { parallelism: named(parallelism) }),
    ...(time && { time: { ...time, sources: named(time.sources), stages: stages(time.stages) } }),
  };
}
