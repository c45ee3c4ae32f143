import { expect, it } from 'vitest';
import type { CoordinatorDeps, Tenure } from '../../../../lib/epoch/coordinator/context.ts';
import type { Held } from '../../../../lib/epoch/coordinator/held.ts';
import { KafkaProblem } from '../../../../lib/ports/kafka-requests.ts';
import type { Manifest } from '../../../../lib/protocol/manifest.ts';
import { compactedTopics } from '../../../../lib/sinks/kafka/compacted-topics.ts';

const written = (...topics: string[]) => [{ written: topics.map((topic) => ({ topic, partition: 0, first: 0, last: 1 })) }];
const manifest = { committables: [...written('known', 'other'), ...written('former', 'gone')] } as unknown as Manifest;
const tenure = { sinkTopics: { known: { partitions: 1, maxBatchBytes: 1, compacted: true } } } as unknown as Tenure;

function found(topicConfig: (topic: string) => Promise<ReadonlyMap<string, string>>): Promise<string[]> {
  const clock = { elapsedMs: () => 0, now: () => 0, sleep: async () => {} };
  const deps = { kafka: { topicConfig }, clock, observe: () => {} } as unknown as CoordinatorDeps;
  return compactedTopics({ deps, tenure, signal: new AbortController().signal } as Held, manifest);
}

it('of topics that this run does not write to the broker is asked, and one that nobody knows counts as compacted', async () => {
  const asked: string[] = [];
  const topics = await found(async (topic) => {
    asked.push(topic);
    if (topic === 'gone') throw new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', 'topic gone does not exist', false);
    return new Map([['cleanup.policy', topic === 'former' ? 'delete, compact' : 'delete']]);
  });
  expect(asked).toEqual(['other', 'former', 'gone']);
  expect(topics).toEqual(['known', 'former', 'gone']);
});

it('what may not be asked ends the job with what to grant', async () => {
  const refused = found(() => Promise.reject(new KafkaProblem('TOPIC_AUTHORIZATION_FAILED', 'grant it', false)));
  await expect(refused).rejects.toThrow('grant it');
});
