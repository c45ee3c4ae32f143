import { beforeAll } from 'vitest';
import type { EpochStore } from '../../lib/ports/epoch-store.ts';
import { decisionContract } from './epoch-store/decision.ts';
import { epochsContract } from './epoch-store/epochs.ts';
import { fencedContract } from './epoch-store/fenced.ts';
import { generationContract } from './epoch-store/generation.ts';
import { holderContract } from './epoch-store/holder.ts';
import { jobRowContract } from './epoch-store/job-row.ts';
import { requestContract } from './epoch-store/requests.ts';
import { triedStore } from './epoch-store/tried.ts';

/** What every `EpochStore` promises. `open` is called once; each test has a job of its own. */
export function epochStoreContract(open: () => Promise<EpochStore>): void {
  let store: EpochStore;
  beforeAll(async () => {
    store = await open();
  });
  const tried = triedStore(() => store);
  jobRowContract(tried);
  generationContract(tried);
  holderContract(tried);
  requestContract(tried);
  fencedContract(tried);
  decisionContract(tried);
  epochsContract(tried);
}
