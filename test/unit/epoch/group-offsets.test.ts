import { expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { createGroupOffsets } from '../../../lib/epoch/coordinator/group-offsets.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/events.ts';
import type { Manifest } from '../../../lib/format/manifest.ts';
import type { KafkaAnswer } from '../../../lib/ports/kafka-requests.ts';

const manifest = (epoch: number) =>
  ({ job: 'job', epoch, incarnation: 'i', offsets: { read: { lines: [3, 5], more: [7] } } }) as Partial<Manifest> as Manifest;

function group(answers: readonly KafkaAnswer[] = [], commitOffsets = true) {
  const events: CoordinatorEvent[] = [];
  const sent: unknown[] = [];
  let nowMs = 0;
  const kafka = {
    commitGroupOffsets: async (...of: unknown[]) => answers[sent.push(of) - 1] ?? 'NONE',
  };
  const deps = { kafka, clock: { elapsedMs: () => nowMs }, observe: (event: CoordinatorEvent) => events.push(event) };
  const offsets = createGroupOffsets(deps as unknown as CoordinatorDeps, { commitOffsets, groupId: 'group' } as JobSettings);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { ...offsets, events, sent, pass };
}

it('offsets of every topic go to the group, with the epoch that they are of', async () => {
  const { commit, sent, isDue, events } = group();
  expect(isDue(4)).toBe(true);
  await commit(manifest(4));
  const metadata = 'onceflow job job incarnation i epoch 4';
  expect(sent).toEqual([
    [
      'group',
      'lines',
      [
        { partition: 0, offset: 3 },
        { partition: 1, offset: 5 },
      ],
      metadata,
    ],
    ['group', 'more', [{ partition: 0, offset: 7 }], metadata],
  ]);
  expect([isDue(4), isDue(5), events]).toEqual([false, false, []]);
});

it('what is refused, because the group has a member, is said once and tried again after a while, until it is committed', async () => {
  const { commit, events, isDue, pass } = group(['UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID', 'NONE', 'NONE']);
  await commit(manifest(4));
  expect(isDue(4)).toBe(false);
  pass(5_000);
  expect(isDue(4)).toBe(true);
  await commit(manifest(4));
  pass(5_000);
  await commit(manifest(4));
  pass(5_000);
  expect(isDue(4)).toBe(false);
  expect(events).toEqual([{ event: 'warning', message: expect.stringContaining('group group, topic lines, could not be committed') }]);
});

it('is never due where offsets are not committed to the group', () => {
  expect(group([], false).isDue(4)).toBe(false);
});
