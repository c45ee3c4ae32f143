import { systemClock } from '../../host/system.ts';
import { adminRequests } from '../../lib/kafka/admin-requests.ts';
import { brokers, cluster } from './kafka-wire.ts';
import { waitFor } from './wait-for.ts';

/** Commits offsets, by partition, for a group without members. Not by kafkajs, which joins the group for it: that takes six seconds. */
export async function commitOffsets(
  groupId: string,
  topic: string,
  offsets: readonly number[],
  { at = brokers(), metadata = '' }: { readonly at?: string[]; readonly metadata?: string } = {},
): Promise<void> {
  const each = offsets.map((offset, partition) => ({ partition, offset }));
  const { commitGroupOffsets } = adminRequests(cluster(at), systemClock);
  // The group's coordinator may not have taken over yet.
  await waitFor(`offsets of group ${groupId}`, async () => (await commitGroupOffsets(groupId, topic, each, metadata)) === 'NONE');
}

/** Offsets of the first three partitions that the group has on this cluster; 0 where it has none. */
export async function committedOffsets(groupId: string, topic: string, at: string[]): Promise<number[]> {
  const found = await adminRequests(cluster(at), systemClock).groupOffsets(groupId, topic, [0, 1, 2]);
  return found.map((each) => each?.offset ?? 0);
}
