import { answerOf } from '../ports/broker-answers.ts';
import type { TopicRequests } from '../ports/kafka-requests.ts';
import type { Cluster } from './cluster.ts';
import { newDecoder, newEncoder } from './kafkajs-internals.ts';
import { answerProblem } from './problems.ts';
import type { WireRequest } from './wire-request.ts';

const TIMEOUT_MS = 10_000;
/** Of the brokers, by `default.replication.factor`. */
const AS_THE_BROKERS_SAY = -1;
const TOPIC_ALREADY_EXISTS = 36;

export function topicRequests(cluster: Cluster): TopicRequests {
  return {
    async createTopic(topic, partitions) {
      const what = `making topic ${topic} with ${partitions} partitions`;
      // Any broker hands it on to the controller. A try that is repeated, because the first had no answer, finds the topic.
      const { code, message } = await cluster.askOne(async () => createTopicsRequest(topic, partitions), what);
      if (code === TOPIC_ALREADY_EXISTS) return 'exists';
      cluster.forgetLeaders(topic);
      if (code !== 0)
        throw answerProblem(cluster.login, message === null ? what : `${what} (${message})`, answerOf(code), {
          kind: 'topic',
          name: topic,
        });
      return 'created';
    },
  };
}

interface CreateTopicsResponse {
  readonly code: number;
  readonly message: string | null;
  readonly throttleMs: number;
}

/** CreateTopics v4, the first that leaves the replication to the brokers. kafkajs ends at v3. */
function createTopicsRequest(topic: string, partitions: number): WireRequest<CreateTopicsResponse> {
  const encoder = newEncoder().writeInt32(1).writeString(topic).writeInt32(partitions).writeInt16(AS_THE_BROKERS_SAY);
  const [placements, settings] = [0, 0];
  const isDryRun = false;
  encoder.writeInt32(placements).writeInt32(settings).writeInt32(TIMEOUT_MS).writeBoolean(isDryRun);
  return {
    api: { key: 19, name: 'CreateTopics', version: 4, flexible: false },
    body: [encoder.buffer],
    decode: (payload) => {
      const decoder = newDecoder(payload);
      const throttleMs = decoder.readInt32();
      const [made] = decoder.readArray(() => {
        decoder.readString(); // the topic
        return { code: decoder.readInt16(), message: decoder.readString() };
      });
      if (made === undefined) throw new Error('CreateTopics was answered without a topic');
      return { ...made, throttleMs };
    },
    throttleMs: (response) => response.throttleMs,
    heldMs: TIMEOUT_MS,
  };
}
