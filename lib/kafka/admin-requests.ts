import { answerOf, worstOf } from '../ports/broker-answers.ts';
import type { Clock } from '../ports/clock.ts';
import type { AdminRequests, GroupOffset } from '../ports/kafka-requests.ts';
import type { Cluster } from './cluster.ts';
import { codecs, type DescribeConfigsResponse } from './codecs.ts';
import { offsetFetchRequest } from './offset-fetch-request.ts';
import { answerProblem, type Resource, unreachableProblem } from './problems.ts';
import { repeated } from './repeated.ts';

const OFFSETS_TOPIC = '__consumer_offsets';

export function adminRequests(cluster: Cluster, clock: Clock): AdminRequests {
  return {
    groupOffsets: (groupId, topic, partitions) => repeated(clock, () => groupOffsetsOf(cluster, groupId, topic, partitions)),

    async commitGroupOffsets(groupId, topic, offsets, metadata) {
      const request = await codecs.offsetCommit(groupId, [{ topic, partitions: offsets.map((at) => ({ ...at, metadata })) }]);
      const { answer } = await cluster.sendToCoordinator(
        'group',
        groupId,
        request,
        ({ responses }) => worstOf(responses.flatMap((one) => one.partitions).map(({ errorCode }) => answerOf(errorCode))),
        { kind: 'group', name: groupId },
      );
      return answer;
    },

    brokerConfig(names) {
      const what = `broker settings ${names.join(', ')}`;
      return repeated(clock, async () => {
        const response = await cluster.askOne((broker) => codecs.describeConfigs('broker', String(broker), names), what);
        return settingsIn(cluster, what, { kind: 'cluster' }, response);
      });
    },

    topicConfig(topic, names) {
      const what = `settings ${names.join(', ')} of topic ${topic}`;
      return repeated(clock, async () => {
        // Says better than DescribeConfigs that there is no such topic.
        await cluster.leaders(topic);
        const response = await cluster.ask(await codecs.describeConfigs('topic', topic, names), what);
        return settingsIn(cluster, what, { kind: 'topic', name: topic }, response);
      });
    },
  };
}

async function groupOffsetsOf(
  cluster: Cluster,
  groupId: string,
  topic: string,
  partitions: readonly number[],
): Promise<(GroupOffset | undefined)[]> {
  const what = `committed offsets of group ${groupId} in topic ${topic}`;
  const about: Resource = { kind: 'group', name: groupId };
  // A new cluster makes this topic for its first group, which has to wait until then.
  if (!(await cluster.mayExist(OFFSETS_TOPIC))) return partitions.map(() => undefined);
  const { answer, response } = await cluster.sendToCoordinator(
    'group',
    groupId,
    offsetFetchRequest(groupId, topic, partitions, true),
    (found) => worstOf([found.answer, ...[...found.partitions.values()].map((partition) => partition.answer)]),
    about,
  );
  if (answer === 'NO_ANSWER') throw unreachableProblem(cluster.login, what, "the group's coordinator cannot be reached");
  if (answer !== 'NONE' || response === undefined) throw answerProblem(cluster.login, what, answer, about);
  return partitions.map((partition) => {
    const { offset, metadata = '' } = response.partitions.get(partition) ?? {};
    return offset === undefined ? undefined : { offset, metadata };
  });
}

function settingsIn(cluster: Cluster, what: string, about: Resource, { resources }: DescribeConfigsResponse): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const { errorCode, configEntries } of resources) {
    const answer = answerOf(errorCode);
    if (answer !== 'NONE') throw answerProblem(cluster.login, what, answer, about);
    for (const { configName, configValue } of configEntries) if (configValue !== null) settings.set(configName, configValue);
  }
  return settings;
}
