import { type AdminRequests, KafkaProblem } from '../../ports/kafka-requests.ts';

/** Does the broker take records away that later ones of the same key replace, and ends of transactions with them? */
export function isCompacted(topicConfig: ReadonlyMap<string, string>): boolean {
  return (topicConfig.get('cleanup.policy') ?? '').split(',').some((policy) => policy.trim() === 'compact');
}

/**
 * Those of the topics whose log is compacted. `known`: those of which that is known. One that no broker knows counts as such: then less
 * is taken for evidence. What becomes of an epoch whose topic is gone is not decided here.
 */
export async function compactedTopics(
  kafka: Pick<AdminRequests, 'topicConfig'>,
  topics: Iterable<string>,
  known: ReadonlyMap<string, boolean>,
): Promise<string[]> {
  const found = await Promise.all(
    [...new Set(topics)].map(async (topic) => ((known.get(topic) ?? (await mayBeCompacted(kafka, topic))) ? [topic] : [])),
  );
  return found.flat();
}

async function mayBeCompacted(kafka: Pick<AdminRequests, 'topicConfig'>, topic: string): Promise<boolean> {
  try {
    return isCompacted(await kafka.topicConfig(topic, ['cleanup.policy']));
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return true;
    throw error;
  }
}
