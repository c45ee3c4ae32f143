import type { Former } from '../../protocol/savepoint.ts';
import type { JobSettings } from '../coordinator/context.ts';
import { fenced } from '../lease/fenced.ts';
import type { Held } from '../lease/held.ts';
import { RETIRED_ROW_MS } from './expire-rows.ts';

/** What an attempt of before has still on its way comes within this time. */
const LATEST_BLOB_MS = 3_600_000;

/**
 * An incarnation that the job has left is listed by each collection, until nothing is found of it. Then its epochs' rows, which were kept for people,
 * get their end, and the row forgets it.
 */
export async function forgetIfEmpty(
  { deps, settings, tenure }: Held<JobSettings>,
  former: Former | undefined,
  found: number,
): Promise<void> {
  if (former === undefined || found > 0 || deps.clock.now() - former.leftAtMs < LATEST_BLOB_MS) return;
  const { job } = settings;
  const { incarnation } = former;
  for (const { epoch, expiresAtMs } of await deps.epochs.listEpochs(job, incarnation, -1))
    if (expiresAtMs === undefined) await deps.epochs.expireEpoch(job, incarnation, epoch, deps.clock.now() + RETIRED_ROW_MS);
  fenced(settings, await deps.epochs.forgetFormer(job, tenure.generation, incarnation));
}
