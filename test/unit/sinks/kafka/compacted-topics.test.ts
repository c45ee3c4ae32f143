import { expect, it } from 'vitest';
import { KafkaProblem } from '../../../../lib/ports/kafka-requests.ts';
import { compactedTopics } from '../../../../lib/sinks/kafka/compacted-topics.ts';

const topics = ['known', 'other', 'former', 'gone', 'former'];

function found(topicConfig: (topic: string) => Promise<ReadonlyMap<string, string>>): Promise<string[]> {
  return compactedTopics({ topicConfig }, topics, new Map([['known', true]]));
}

it('of topics that this run does not write to the broker is asked, and one that nobody knows counts as compacted', async () => {
  const asked: string[] = [];
  const compacted = await found(async (topic) => {
    asked.push(topic);
    if (topic === 'gone') throw new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', 'topic gone does not exist', false);
    return new Map([['cleanup.policy', topic === 'former' ? 'delete, compact' : 'delete']]);
  });
  expect(asked).toEqual(['other', 'former', 'gone']);
  expect(compacted).toEqual(['known', 'former', 'gone']);
});

it('what may not be asked is not guessed', async () => {
  const refused = found(() => Promise.reject(new KafkaProblem('TOPIC_AUTHORIZATION_FAILED', 'grant it', false)));
  await expect(refused).rejects.toThrow('grant it');
});
