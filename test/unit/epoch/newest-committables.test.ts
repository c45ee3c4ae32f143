import { expect, it } from 'vitest';
import { newestCommittables } from '../../../lib/epoch/commit/newest-committables.ts';
import { type CoordinatorDeps, SupersededError, type Tenure } from '../../../lib/epoch/coordinator/context.ts';
import { isGarbage } from '../../../lib/epoch/garbage/retain.ts';
import type { SentAgain } from '../../../lib/ports/epoch-store.ts';
import type { Committable } from '../../../lib/protocol/committable.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';

const EPOCH = 5;
const committable = (subtask: number, producerEpoch: number, partitions = 1): Committable => ({
  sink: 'write',
  connector: 'some',
  subtask,
  epoch: EPOCH,
  token: {
    try: producerEpoch,
    written: Array.from({ length: partitions }, (_, partition) => ({ topic: 'out', partition, first: 1, last: 2 })),
  },
});
const manifest = {
  job: 'job',
  incarnation: 'inc',
  epoch: EPOCH,
  decisionId: 'five',
  committables: [committable(0, 1), committable(1, 1)],
} as Partial<Manifest> as Manifest;
const tenure = { generation: 3, incarnation: 'inc' } as Partial<Tenure> as Tenure;
const never = new AbortController().signal;

function world(answer: 'written' | 'superseded' = 'written') {
  const bucket = new BlobBucket(() => 0);
  const store = modelBlobStore(bucket, async (_api, _about, _failure, execute) => execute(undefined as never));
  const records: { readonly sentAgain: SentAgain; readonly seen: string | undefined }[] = [];
  let ids = 0;
  const random = { id: () => String(ids++).padStart(32, '0'), fraction: () => 0 };
  const epochs = {
    recordSentAgain: async (_job: string, _generation: number, sentAgain: SentAgain, seen: string | undefined) => {
      records.push({ sentAgain, seen });
      return answer;
    },
  };
  const clock = { now: () => 0, elapsedMs: () => 0, sleep: async () => {} };
  const deps = { epochs, blobs: createBlobs(store, random), random, clock, observe: () => {} } as unknown as CoordinatorDeps;
  const newest = (recorded?: SentAgain) =>
    newestCommittables({ deps, settings: { job: 'job' }, tenure, signal: never }, manifest, recorded);
  return { newest, records, bucket };
}

it("the newest committables are the manifest's, but those that were sent again, each recorded in place of what was seen", async () => {
  const { newest, records } = world();
  const own = await newest();
  expect(own.of('write', 'some')).toEqual(manifest.committables);
  expect([own.of('write', 'another'), own.of('copy', 'some')]).toEqual([[], []]);
  await own.record([committable(1, 2)]);
  await Promise.all([own.record([committable(0, 4)]), own.record([committable(1, 6)])]);
  expect(own.of('write', 'some')).toEqual([committable(0, 4), committable(1, 6)]);
  expect(records.map(({ seen }) => seen)).toEqual([undefined, records[0]?.sentAgain.id, records[1]?.sentAgain.id]);
  const successor = await newest(records.at(-1)?.sentAgain);
  expect(successor.of('write', 'some')).toEqual([committable(0, 4), committable(1, 6)]);
});

it('what was recorded of another decision counts for nothing', async () => {
  const { newest } = world();
  const other: SentAgain = { decisionId: 'four', id: 'x', committables: { at: 'row', list: [committable(0, 9)] } };
  expect((await newest(other)).of('write', 'some')).toEqual(manifest.committables);
});

it('many of them go to a blob, which no collection takes before the next epoch is decided', async () => {
  const { newest, records, bucket } = world();
  await (await newest()).record([committable(0, 2, 3_000)]);
  const recorded = records[0]?.sentAgain;
  if (recorded?.committables.at !== 'blob') throw new Error('it is in the row');
  const { name } = recorded.committables;
  expect([...bucket.blobs.keys()]).toEqual([name]);
  const incarnation = name.split('/')[1] ?? '';
  expect(isGarbage(name, { incarnation, lastCompleted: EPOCH, lastCommitted: EPOCH, live: new Set() })).toBe(false);
  expect(isGarbage(name, { incarnation, lastCompleted: EPOCH + 1, lastCommitted: EPOCH, live: new Set() })).toBe(true);
  expect((await newest(recorded)).of('write', 'some')).toEqual([committable(0, 2, 3_000), committable(1, 1)]);
});

it('what a superseded coordinator sent again is not the newest of anything', async () => {
  const { newest } = world('superseded');
  const own = await newest();
  await expect(own.record([committable(0, 2)])).rejects.toThrow(SupersededError);
  expect(own.of('write', 'some')).toEqual(manifest.committables);
});

it('what another connector recorded takes the place of nothing', async () => {
  const { newest } = world();
  const other: SentAgain = {
    decisionId: 'five',
    id: 'x',
    committables: { at: 'row', list: [{ ...committable(0, 9), connector: 'other' }] },
  };
  expect((await newest(other)).of('write', 'some')).toEqual(manifest.committables);
});
