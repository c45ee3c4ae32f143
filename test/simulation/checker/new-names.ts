import type { Manifest } from '../../../lib/protocol/manifest.ts';

/** What build a had under other names, as build b has it. */
export function underNewNames(manifest: Manifest, formerly: ReadonlyMap<string, string>): Manifest {
  if (formerly.size === 0) return manifest;
  const { offsets, topicIds, state, parallelism, time } = manifest;
  const named = <T>(of: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [formerly.get(name) ?? name, value]));
  return {
    ...manifest,
    ...{ offsets: named(offsets), state: named(state) },
    ...(topicIds && { topicIds: named(topicIds) }),
    ...(parallelism && { parallelism: named(parallelism) }),
    ...(time && { time: { ...time, sources: named(time.sources), stages: named(time.stages) } }),
  };
}
