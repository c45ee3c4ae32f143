import { ofName } from '../../config/by-name.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { Held } from './held.ts';
import { untilAnswered } from './store-retry.ts';

/** Does the broker take records away that later ones of the same key replace, and ends of transactions with them? */
export function isCompacted(topicConfig: ReadonlyMap<string, string>): boolean {
  return (topicConfig.get('cleanup.policy') ?? '').split(',').some((policy) => policy.trim() === 'compact');
}

/** Those of its topics whose log is compacted; of this run's topics that is known. */
export async function compactedTopics({ deps, tenure, signal }: Held, manifest: Manifest): Promise<string[]> {
  const topics = new Set(manifest.committables.flatMap(({ written }) => written.map(({ topic }) => topic)));
  const found = await Promise.all(
    [...topics].map(async (topic) => {
      const known = ofName(tenure.sinkTopics, topic);
      if (known !== undefined) return known.compacted ? [topic] : [];
      const ask = () => deps.kafka.topicConfig(topic, ['cleanup.policy']);
      return isCompacted(await untilAnswered(deps, `asking about topic ${topic}`, ask, signal)) ? [topic] : [];
    }),
  );
  return found.flat();
}
