import * as z from 'zod';
import { MalformedError } from '../../protocol/malformed.ts';
import { count, type Own, shapeFault } from '../../protocol/shape.ts';

/** How far the staged output of one subtask has been written: so many of its writes. */
const doneSchema = z.object({ writes: count }).readonly();

export function doneOf(writes: number): Own {
  return { writes };
}

/** What `doneOf` has made. Undefined: nobody knows. @throws MalformedError */
export function writesDone(done: Own | undefined): number | undefined {
  if (done === undefined) return undefined;
  const fault = shapeFault(doneSchema, done);
  if (fault !== undefined) throw new MalformedError(`how far output was written is not as this connector says it: ${fault}`);
  return (done as z.infer<typeof doneSchema>).writes;
}
