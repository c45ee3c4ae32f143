import { rightsMissing, SINK_TOPIC_RIGHTS } from '../../ports/broker-answers.ts';
import type { KafkaAnswer } from '../../ports/kafka-requests.ts';

/** What a person can do about a `refused` answer. `topic`: the sink's, where the request was about it. */
export function mendOf(answer: KafkaAnswer, topic?: string): string {
  switch (answer) {
    case 'INVALID_TRANSACTION_TIMEOUT':
      return "lower ONCEFLOW_TRANSACTION_TIMEOUT_MS or raise the broker's transaction.max.timeout.ms";
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return "the topic's max.message.bytes was lowered while the job ran: start the job again, so that it cuts smaller batches";
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return `${topic === undefined ? "the sink's topic" : `topic ${topic}`} does not exist any more, or has fewer partitions than before: make it anew`;
    case 'TOPIC_AUTHORIZATION_FAILED':
      return `grant ${SINK_TOPIC_RIGHTS} on ${topic === undefined ? "the sink's topic" : `topic ${topic}`} (READ because its log shows what became of a transaction)`;
    case 'INVALID_RECORD':
      return `the topic takes no such record (a compacted topic takes none without a key)${topic === undefined ? '' : `: look at cleanup.policy of topic ${topic}`}`;
    case 'INVALID_TIMESTAMP':
      return "the record's timestamp is further from now than the topic takes (message.timestamp.before.max.ms, message.timestamp.after.max.ms)";
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return `grant ${rightsMissing(answer)} on the transactional ids with the job's prefix`;
    default:
      return 'see the ACLs in docs/configuration.md';
  }
}
