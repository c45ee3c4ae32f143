import { systemClock } from '../../host/system.ts';
import { adminRequests } from '../../lib/kafka/admin-requests.ts';
import { cluster } from './kafka-wire.ts';
import { waitFor } from './wait-for.ts';

/** Commits offsets, by partition, for a group without members. Not by kafkajs, which joins the group for it: that takes six seconds. */
export async function commitOffsets(groupId: string, topic: string, offsets: readonly number[]): Promise<void> {
  const each = offsets.map((offset, partition) => ({ partition, offset }));
  const { commitGroupOffsets } = adminRequests(cluster(), systemClock);
  // The group's coordinator may not have taken over yet.
  await waitFor(`offsets of group ${groupId}`, async () => (await commitGroupOffsets(groupId, topic, each, '')) === 'NONE');
}
