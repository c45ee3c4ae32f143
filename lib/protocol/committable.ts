import * as z from 'zod';
import { upgradedCommittable } from './earlier/committables.ts';
import { MalformedError } from './malformed.ts';
import { count, list, name, own, shapeFault } from './shape.ts';

/**
 * What of one sink subtask in one epoch is committed when the epoch is decided. Any process can do it: by the connector that made
 * it, and by no other.
 */
export const committableSchema = z
  .object({
    sink: name,
    /** The name of the connector that made it. */
    connector: name,
    subtask: count,
    epoch: count,
    /** What the connector commits by. It checks it when it takes it, and nobody else looks into it. */
    token: own,
  })
  .readonly();
export type Committable = z.infer<typeof committableSchema>;

const committables = list(committableSchema);

/** A list of committables that was stored by itself, by this build or one before. @throws MalformedError */
export function parseCommittables(value: unknown, where: string): readonly Committable[] {
  const upgraded = Array.isArray(value) ? value.map(upgradedCommittable) : value;
  const fault = shapeFault(committables, upgraded);
  if (fault !== undefined) throw new MalformedError(`${where} is no list of committables: ${fault}`);
  return upgraded as readonly Committable[];
}

/** Do they come from the same subtask of a sink, by the same connector? */
export function isOfOneSubtask(one: Committable, other: Committable): boolean {
  return one.sink === other.sink && one.subtask === other.subtask && one.connector === other.connector;
}
