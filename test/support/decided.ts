import { asDecided } from '../../lib/protocol/as-decided.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';
import { type CommitPermit, type DecidedManifest, permitFor } from '../../lib/protocol/permit.ts';

/** For tests that begin behind a decision: the manifest as if the store had said that it is decided. */
export const decided = (manifest: Manifest): DecidedManifest => asDecided(manifest);

export function permitOf(epoch: number, decisionId: string, generation = 1): CommitPermit {
  return permitFor(decided({ epoch, decisionId } as Manifest), generation);
}
