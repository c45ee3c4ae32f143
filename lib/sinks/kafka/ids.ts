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

export function transactionalId(place: SinkPlace, epoch: number): string {
  return `${place.job}-${place.incarnation}-${place.sink}-${place.subtask}-${epoch % 2}`;
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
