import * as z from 'zod';
import { MalformedError } from '../../protocol/malformed.ts';
import { count, type Own, shapeFault } from '../../protocol/shape.ts';

/** How far the staged output of one subtask has been delivered: so many of its batches. */
const doneSchema = z.object({ batches: count }).readonly();

export function doneOf(batches: number): Own {
  return { batches };
}

/** What `doneOf` has made. Undefined: nobody knows. @throws MalformedError */
export function batchesDone(done: Own | undefined): number | undefined {
  if (done === undefined) return undefined;
  const fault = shapeFault(doneSchema, done);
  if (fault !== undefined) throw new MalformedError(`how far output was delivered is not as this connector says it: ${fault}`);
  return (done as z.infer<typeof doneSchema>).batches;
}
