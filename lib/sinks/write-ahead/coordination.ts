import type { DeliveredCoordination } from '../connector.ts';
import { CONNECTOR as KAFKA } from '../kafka/committable.ts';
import type { KafkaClients } from '../kafka/coordination.ts';
import { learnTopics, topicsOf } from '../kafka/topics.ts';

/** Of committables that are sent after the decision. Their tokens are empty: all that there is to know is the staged output. */
export const CONNECTOR = 'write-ahead';

/** The half where the coordinator is. It leaves nothing open; what transactions leave in its topics, their connector sees to. */
export function coordinateWriteAhead({ kafka }: KafkaClients): DeliveredCoordination {
  return {
    how: 'delivered',
    connector: CONNECTOR,
    poolOf: KAFKA,
    refusalOf: () => Promise.resolve(undefined),
    learn: (sinks) => learnTopics(kafka, sinks),
    placesOf: (target) => topicsOf({ target }),
  };
}
