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

export function transactionalId(place: SinkPlace, epoch: number): string {
  return `${place.job}-${place.incarnation}-${place.sink}-${place.subtask}-${epoch % 2}`;
}

/** Every transactional id of one sink with at most so many subtasks. */
export function transactionalIds(job: string, incarnation: string, sink: string, subtasks: number): string[] {
  return Array.from({ length: subtasks }, (_, subtask) => ({ job, incarnation, sink, subtask })).flatMap((place) => [
    transactionalId(place, 0),
    transactionalId(place, 1),
  ]);
}

/** Every transactional id that may exist in this incarnation: the pool records the widest parallelism of each sink. */
export function poolIds(job: string, incarnation: string, sinks: PoolScope['sinks']): string[] {
  return Object.entries(sinks).flatMap(([sink, { subtasks }]) => transactionalIds(job, incarnation, sink, subtasks));
}
