/**
 * Transactional ids (docs/protocol.md). Two for each sink subtask, used in turn, so that a transaction need not wait for the
 * markers of the one before.
 */
export interface SinkPlace {
  readonly job: string;
  readonly incarnation: string;
  readonly sink: string;
  readonly subtask: number;
}

export function transactionalId(place: SinkPlace, epoch: number): string {
  return `${place.job}-${place.incarnation}-${place.sink}-${place.subtask}-${epoch % 2}`;
}

/**
 * The consumer group that holds the commit marker of a transactional id: a group of its own for each id, so that the
 * marker of one transaction is never hidden behind a pending commit of another.
 */
export function markerGroup(transactionalIdOfMarker: string): string {
  return transactionalIdOfMarker;
}

/** Every transactional id that may exist in this incarnation: the pool records the widest parallelism of each sink. */
export function poolIds(job: string, incarnation: string, pool: Readonly<Record<string, number>>): string[] {
  return Object.entries(pool).flatMap(([sink, parallelism]) =>
    Array.from({ length: parallelism }, (_, subtask) => ({ job, incarnation, sink, subtask })).flatMap((place) => [
      transactionalId(place, 0),
      transactionalId(place, 1),
    ]),
  );
}
