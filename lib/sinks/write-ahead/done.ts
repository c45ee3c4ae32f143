import * as z from 'zod';
import { MalformedError } from '../../protocol/malformed.ts';
import { byName, count, type Own, shapeFault } from '../../protocol/shape.ts';
import type { Acknowledged } from '../kafka/send-staged.ts';

/** How far the staged output of one subtask has been sent: of each partition so many of its batches. */
const doneSchema = z.object({ acknowledged: byName(count) }).readonly();

export function doneOf(acknowledged: Acknowledged): Own {
  return { acknowledged: Object.fromEntries(acknowledged) };
}

/** What `doneOf` has made. Undefined: nothing is done. @throws MalformedError */
export function acknowledgedIn(done: Own | undefined): Acknowledged {
  if (done === undefined) return new Map();
  const fault = shapeFault(doneSchema, done);
  if (fault !== undefined) throw new MalformedError(`how far output was sent is not as this connector says it: ${fault}`);
  return new Map(Object.entries((done as z.infer<typeof doneSchema>).acknowledged));
}
