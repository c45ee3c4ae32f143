import { expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings, Tenure } from '../../../lib/epoch/coordinator/context.ts';
import { collectGarbage } from '../../../lib/epoch/garbage/collect.ts';
import type { RowExpiry } from '../../../lib/epoch/garbage/expire-rows.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { EpochRow } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { jobRowOf } from '../cli/rows.ts';

const LAST = 9;

it('a manifest that lies in a blob, because it is large, is kept for as long as its epoch is live, and goes when it is retired', async () => {
  const bucket = new BlobBucket(() => 0);
  const blobStore = modelBlobStore(bucket, async (_api, _about, _failure, execute) => execute(undefined as never));
  let ids = 0;
  const blobs = createBlobs(blobStore, { id: () => String(ids++).padStart(32, '0'), fraction: () => 0 });
  const largeEpoch = async (epoch: number): Promise<EpochRow> => {
    const manifest: Manifest = {
      version: 3,
      job: 'word-count',
      incarnation: 'inc',
      epoch,
      decisionId: `d${epoch}`,
      parentDecisionId: `d${epoch - 1}`,
      offsets: {},
      state: {},
      outputs: {},
      committables: [],
    };
    const place = { job: 'word-count', incarnation: 'inc', stage: 'manifest', subtask: 0, epoch };
    const ref = await blobs.write(place, 'manifest', 'manifest', [Buffer.from(JSON.stringify(manifest))], 0);
    if (ref.at !== 'store') throw new Error('a manifest blob is never inline');
    const summary = { plannedAtMs: 0, decidedAtMs: 0, attempts: 1, recordsIn: 0, recordsOut: 0 };
    return { epoch, decisionId: `d${epoch}`, manifest: { at: 'blob', name: ref.name }, summary };
  };
  const rows = [await largeEpoch(LAST - 1), await largeEpoch(LAST)];
  const row = jobRowOf({ lastCompleted: { epoch: LAST, decisionId: `d${LAST}` }, lastCommitted: LAST, retiredThrough: LAST - 2 });
  const epochs = {
    readJob: async () => row,
    retireThrough: async () => 'written' as const,
    listEpochs: async (_job: string, _incarnation: string, after: number) => rows.filter(({ epoch }) => epoch > after),
  };
  const told: CoordinatorEvent[] = [];
  const deps = { epochs, blobs, blobStore, observe: (event: CoordinatorEvent) => told.push(event) } as unknown as CoordinatorDeps;
  const expiry = { catchUp: async () => {}, expire: async () => {} } as unknown as RowExpiry;
  const tenure = { generation: row.generation, incarnation: 'inc' } as Tenure;
  const never = new AbortController().signal;
  const collect = (retainedCheckpoints: number) =>
    collectGarbage({ deps, settings: { job: 'word-count', retainedCheckpoints } as JobSettings, tenure, signal: never }, expiry);
  const names = rows.map(({ manifest }) => (manifest.at === 'blob' ? manifest.name : ''));

  await collect(2);
  expect([...bucket.blobs.keys()].sort()).toEqual([...names].sort());
  expect(told).toEqual([]);
  await collect(1);
  expect([...bucket.blobs.keys()]).toEqual([names[1]]);
  expect(told).toEqual([{ event: 'collected', blobs: 1, retired: 1 }]);
});
