import { byName } from '../../config/by-name.ts';
import { clusterOf, inCluster } from '../../config/clusters.ts';
import type { PoolScope } from '../connector.ts';

/**
 * Transactional ids (docs/protocol.md). Two for each sink subtask, used in turn, so that a transaction need not wait until
 * the broker has written down that the one before is complete.
 */
export interface SinkPlace {
  readonly job: string;
  readonly incarnation: string;
  readonly sink: string;
  readonly subtask: number;
}

/** @param topics of the sink: all of one cluster, which the id is of too */
export function transactionalId(place: SinkPlace, epoch: number, [topic = '']: readonly string[]): string {
  return inCluster(clusterOf(topic), `${place.job}-${place.incarnation}-${place.sink}-${place.subtask}-${epoch % 2}`);
}

/** Every transactional id of one sink with at most so many subtasks, in the cluster of these topics. */
export function transactionalIds(
  { job, incarnation }: Pick<SinkPlace, 'job' | 'incarnation'>,
  sink: string,
  subtasks: number,
  topics: readonly string[],
): string[] {
  return Array.from({ length: subtasks }, (_, subtask) => ({ job, incarnation, sink, subtask })).flatMap((place) => [
    transactionalId(place, 0, topics),
    transactionalId(place, 1, topics),
  ]);
}

/** Every transactional id that may exist in this incarnation: the pool records the widest parallelism of each sink. */
export function poolIds(job: string, incarnation: string, sinks: PoolScope['sinks']): string[] {
  return scopesByCluster({ job, incarnation, sinks }).flatMap(([, scope]) =>
    Object.entries(scope.sinks).flatMap(([sink, { subtasks, places }]) => transactionalIds(scope, sink, subtasks, places)),
  );
}

/** The pool by cluster: producer ids of two clusters mean nothing to each other. A sink that wrote to several is in each. */
export function scopesByCluster({ sinks, ...of }: PoolScope): (readonly [cluster: string, scope: PoolScope])[] {
  const all = Object.entries(sinks);
  const clusters = new Set(all.flatMap(([, { places }]) => (places.length === 0 ? [''] : places.map(clusterOf))));
  return [...clusters].map((cluster) => {
    const own = all.flatMap(([sink, { subtasks, places }]) => {
      const there = places.filter((place) => clusterOf(place) === cluster);
      const isThere = there.length > 0 || (places.length === 0 && cluster === '');
      return isThere ? [[sink, { subtasks, places: there }] as const] : [];
    });
    return [cluster, { ...of, sinks: byName(own) }] as const;
  });
}
