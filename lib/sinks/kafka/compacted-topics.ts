import { ofName } from '../../config/by-name.ts';
import type { CoordinatorDeps } from '../../epoch/coordinator/context.ts';
import type { Held } from '../../epoch/coordinator/held.ts';
import { untilAnswered } from '../../epoch/coordinator/store-retry.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import type { Manifest } from '../../protocol/manifest.ts';

/** Does the broker take records away that later ones of the same key replace, and ends of transactions with them? */
export function isCompacted(topicConfig: ReadonlyMap<string, string>): boolean {
  return (topicConfig.get('cleanup.policy') ?? '').split(',').some((policy) => policy.trim() === 'compact');
}

/**
 * Those of its topics whose log is compacted; of this run's topics that is known. One that nobody knows counts as such: then less is
 * taken for evidence. What becomes of an epoch whose topic is gone is not decided here.
 */
export async function compactedTopics({ deps, tenure, signal }: Held, manifest: Manifest): Promise<string[]> {
  const topics = new Set(manifest.committables.flatMap(({ written }) => written.map(({ topic }) => topic)));
  const found = await Promise.all(
    [...topics].map(async (topic) => {
      const known = ofName(tenure.sinkTopics, topic);
      if (known !== undefined) return known.compacted ? [topic] : [];
      return (await untilAnswered(deps, `asking about topic ${topic}`, () => mayBeCompacted(deps, topic), signal)) ? [topic] : [];
    }),
  );
  return found.flat();
}

async function mayBeCompacted({ kafka }: Pick<CoordinatorDeps, 'kafka'>, topic: string): Promise<boolean> {
  try {
    return isCompacted(await kafka.topicConfig(topic, ['cleanup.policy']));
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return true;
    throw error;
  }
}
