import type { DeliveredCoordination } from '../connector.ts';
import { type KafkaClients, topicsOfPool } from '../kafka/coordination.ts';
import { learnTopics, topicOf } from '../kafka/topics.ts';
import { watchOpen } from '../kafka/watch-open.ts';

/** Of committables that are sent after the decision. Their tokens are empty: all that there is to know is the staged output. */
export const CONNECTOR = 'write-ahead';

/** The half where the coordinator is. Nothing is ever open that is the job's: what it looks for is what others leave open. */
export function coordinateWriteAhead(clients: KafkaClients): DeliveredCoordination {
  return {
    how: 'delivered',
    connector: CONNECTOR,
    refusalOf: () => Promise.resolve(undefined),
    learn: (sinks) => learnTopics(clients.kafka, sinks),
    placesOf: (target) => [topicOf({ target })],
    watch: ({ sinks }) => watchOpen(clients, [], topicsOfPool(sinks)),
  };
}
