import { brokerText } from '../config/broker-address.ts';
import { answerOf } from '../ports/broker-answers.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerDescription, KafkaChecks, Right } from '../ports/kafka-checks.ts';
import type { Cluster } from './cluster.ts';
import { codecs } from './codecs.ts';
import { type MetadataResponse, metadataRequest } from './metadata-request.ts';
import { answerProblem } from './problems.ts';
import { repeated } from './repeated.ts';
import { NoAnswer } from './wire-request.ts';

export function checkRequests(cluster: Cluster, clock: Clock): KafkaChecks {
  return {
    async describeBrokers() {
      const { brokers } = await cluster.ask(metadataRequest([]), 'the brokers of the cluster');
      return Promise.all(brokers.map((broker) => describeBroker(cluster, broker)));
    },

    async describeTopics(topics) {
      const what = `metadata of topics ${topics.join(', ')}`;
      const response = await repeated(clock, async () => {
        const found = await cluster.ask(metadataRequest(topics, true), what);
        const moving = found.topics.map(({ errorCode }) => answerOf(errorCode)).find((answer) => answer === 'LEADER_NOT_AVAILABLE');
        if (moving !== undefined) throw answerProblem(cluster.login, what, moving, { kind: 'cluster' });
        return found;
      });
      return topics.map((topic) => {
        const found = response.topics.find((each) => each.topic === topic);
        if (found === undefined) return { topic, answer: 'UNKNOWN_TOPIC_OR_PARTITION', partitions: [], rights: undefined };
        const partitions = found.partitions.map(({ leader, replicas, inSync }) => ({ leader, replicas, inSync }));
        return { topic, answer: answerOf(found.errorCode), partitions, rights: rightsIn(found.operations) };
      });
    },

    async addOffsets({ transactionalId, producerId, producerEpoch }, groupId) {
      const request = await codecs.addOffsetsToTxn({ transactionalId, producerId, producerEpoch, groupId });
      const about = { kind: 'group', name: groupId } as const;
      const { answer } = await cluster.sendToCoordinator('transaction', transactionalId, request, (of) => answerOf(of.errorCode), about);
      return answer;
    },
  };
}

async function describeBroker(cluster: Cluster, { nodeId: id, ...at }: MetadataResponse['brokers'][number]): Promise<BrokerDescription> {
  const response = await cluster.readFrom(id, 'control', await codecs.apiVersions());
  const address = brokerText(at);
  if (response instanceof NoAnswer) return { id, address, apis: { noAnswer: response.reason } };
  const apis = response.apiVersions.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }] as const);
  return { id, address, apis: new Map(apis) };
}

/** Kafka's `AclOperation`: the number of a right is that of its bit. */
const RIGHTS: ReadonlyMap<number, Right> = new Map([
  [3, 'Read'],
  [4, 'Write'],
  [5, 'Create'],
  [6, 'Delete'],
  [7, 'Alter'],
  [8, 'Describe'],
  [9, 'ClusterAction'],
  [10, 'DescribeConfigs'],
  [11, 'AlterConfigs'],
  [12, 'IdempotentWrite'],
]);
/** Of brokers that say nothing of it. */
const UNSAID = -(2 ** 31);

function rightsIn(operations: number): ReadonlySet<Right> | undefined {
  if (operations === UNSAID) return undefined;
  return new Set([...RIGHTS].flatMap(([bit, right]) => ((operations & (1 << bit)) === 0 ? [] : [right])));
}
