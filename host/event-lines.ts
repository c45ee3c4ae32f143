import { type CoordinatorEvent, type Level, levelOf } from '../lib/epoch/progress/events.ts';

export interface EventLine {
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Makes log lines of a coordinator's events, in the order in which they come: each with the generation, once it is known,
 * and what tells of an epoch with its attempt, the decision id under which its stages log too.
 */
export function createEventLines(): (event: CoordinatorEvent) => EventLine {
  let generation: number | undefined;
  /** By epoch, the attempts that are in flight. */
  const attempts = new Map<number, string>();
  return (event) => {
    if (event.event === 'lease-taken') generation = event.generation;
    if (event.event === 'planned') attempts.set(event.epoch, event.decisionId);
    const attempt = 'epoch' in event ? attempts.get(event.epoch) : undefined;
    if (event.event === 'committed') attempts.delete(event.epoch);
    const { message = event.event, names, ...fields } = { message: undefined, names: undefined, ...event };
    return { level: levelOf(event), message, fields: { generation, attempt, ...fields, ...names } };
  };
}
