import * as z from 'zod';
import { MalformedError } from '../../protocol/malformed.ts';
import { name, type Own, shapeFault } from '../../protocol/shape.ts';

/** What a prepare has to know. */
const prepareTermsSchema = z
  .object({
    location: name,
    /** Is a list of an epoch's files to be written? */
    manifests: z.boolean(),
  })
  .readonly();
export type PrepareTerms = z.infer<typeof prepareTermsSchema>;

/** @throws MalformedError */
export function prepareTerms(terms: Own): PrepareTerms {
  const fault = shapeFault(prepareTermsSchema, terms);
  if (fault !== undefined) throw new MalformedError(`what a prepare was told is not what the connector of files says: ${fault}`);
  return terms as PrepareTerms;
}
