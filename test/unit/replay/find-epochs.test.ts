import { expect, it } from 'vitest';
import { BlobMissingError } from '../../../lib/ports/blob-store.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { unlessRetired } from '../../../lib/replay/find-epochs.ts';
import { jobRowOf } from '../cli/rows.ts';

/** @param now what the job's row says when something is missing */
function missing(now: JobRow | undefined): Promise<never> {
  const row = jobRowOf();
  const epochs = { readJob: async () => now, readEpoch: async () => undefined, readSavepoint: async () => undefined };
  return unlessRetired({ epochs }, row, 8, () => Promise.reject(new BlobMissingError('blob', 'the store')));
}

it('a blob that is missing because the job has gone on meanwhile is no damage: which epochs are there is said', async () => {
  await expect(missing(jobRowOf({ retiredThrough: 8, lastCompleted: { epoch: 11, decisionId: 'd11' } }))).rejects.toThrow(
    'epoch 8 of job word-count was retired while it was read: the oldest that can be is 10, the newest 11',
  );
});

it('one that is missing because the job was deleted meanwhile is said', async () => {
  const message = 'job word-count was deleted, or made anew, while its epochs were read';
  await expect(missing(undefined)).rejects.toThrow(message);
  await expect(missing(jobRowOf({ incarnation: 'another' }))).rejects.toThrow(message);
});

it('one that is missing though the epoch is kept is damage, and is named', async () => {
  await expect(missing(jobRowOf())).rejects.toThrow('blob blob is missing from the store');
});
