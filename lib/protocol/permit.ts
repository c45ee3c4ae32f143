import * as z from 'zod';
import type { Committable } from './committable.ts';
import type { Manifest } from './manifest.ts';
import { count, name } from './shape.ts';

declare const decided: unique symbol;

/** A manifest that the store holds as decided: of a decision that was answered, or read as one (`as-decided.ts`). */
export type DecidedManifest = Manifest & { readonly [decided]: true };

/**
 * The proof that an epoch was decided, without which nothing is committed. On the wire it is plain JSON; a process makes one by
 * `permitFor`, or has received it.
 */
export const commitPermitSchema = z
  .object({ epoch: count, decisionId: name, generation: count, decided: z.literal(true) })
  .readonly()
  .brand<'CommitPermit'>();
export type CommitPermit = z.infer<typeof commitPermitSchema>;

/** The right to commit an epoch, of the coordinator that holds this generation. */
export function permitFor({ epoch, decisionId }: DecidedManifest, generation: number): CommitPermit {
  return { epoch, decisionId, generation, decided: true } as CommitPermit;
}

/** What asks for a permit commits, sends or sends again what is of that epoch, and nothing else. Throws when it is of another. */
export function checkCovered({ epoch }: Pick<Committable, 'epoch'>, permit: CommitPermit): void {
  if (permit.epoch !== epoch) throw new Error(`the permit for epoch ${permit.epoch} does not cover the committable of epoch ${epoch}`);
}
