import { rightsMissing, SINK_TOPIC_RIGHTS } from '../../ports/broker-answers.ts';
import type { KafkaAnswer } from '../../ports/kafka-requests.ts';

/** What a person can do about a `refused` answer. `topics`: of the sink, which the request was about, or one of them. */
export function mendOf(answer: KafkaAnswer, topics?: string | readonly string[]): string {
  const topic = topics === undefined ? undefined : named([topics].flat());
  switch (answer) {
    case 'INVALID_TRANSACTION_TIMEOUT':
      return "lower ONCEFLOW_TRANSACTION_TIMEOUT_MS or raise the broker's transaction.max.timeout.ms";
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return "the topic's max.message.bytes was lowered while the job ran: start the job again, so that it cuts smaller batches";
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return `${topic ?? "the sink's topic"} does not exist any more, or has fewer partitions than before: make it anew`;
    case 'TOPIC_AUTHORIZATION_FAILED':
      return `grant ${SINK_TOPIC_RIGHTS} on ${topic ?? "the sink's topic"} (READ because its log shows what became of a transaction)`;
    case 'INVALID_RECORD':
      return `the topic takes no such record (a compacted topic takes none without a key)${topic === undefined ? '' : `: look at cleanup.policy of ${topic}`}`;
    case 'INVALID_TIMESTAMP':
      return "the record's timestamp is further from now than the topic takes (message.timestamp.before.max.ms, message.timestamp.after.max.ms)";
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return `grant ${rightsMissing(answer)} on the transactional ids with the job's prefix`;
    default:
      return 'see the ACLs in docs/configuration.md';
  }
}

function named(topics: readonly string[]): string {
  return topics.length === 1 ? `topic ${topics[0]}` : `one of the topics ${topics.join(', ')}`;
}
