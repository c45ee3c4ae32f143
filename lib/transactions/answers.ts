import type { KafkaAnswer } from '../ports/kafka-requests.ts';

/**
 * What to do with an answer of a transactional request: one policy for each kind of answer, in one place.
 * - `ok`: carried out.
 * - `retry`: not carried out, or harmless to repeat; the same request may succeed soon.
 * - `fenced`: a newer producer epoch owns the transactional id; nothing more can be done under this identity.
 * - `refused`: needs a person (missing ACL, a setting); repeating does not help.
 * - `record`: a record is not what the topic takes; it is refused each time, and others are not.
 * - `failed`: anything else; the transaction cannot be trusted any more.
 */
export type AnswerKind = 'ok' | 'retry' | 'fenced' | 'refused' | 'record' | 'failed';

const kinds: Readonly<Record<string, AnswerKind>> = {
  NONE: 'ok',
  NO_ANSWER: 'retry',
  CONCURRENT_TRANSACTIONS: 'retry',
  COORDINATOR_LOAD_IN_PROGRESS: 'retry',
  COORDINATOR_NOT_AVAILABLE: 'retry',
  NOT_COORDINATOR: 'retry',
  NOT_LEADER_OR_FOLLOWER: 'retry',
  REQUEST_TIMED_OUT: 'retry',
  UNKNOWN_SERVER_ERROR: 'retry',
  UNKNOWN_TOPIC_OR_PARTITION: 'retry',
  NETWORK_EXCEPTION: 'retry',
  UNSTABLE_OFFSET_COMMIT: 'retry',
  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  INVALID_PRODUCER_ID_MAPPING: 'fenced',
  INVALID_TRANSACTION_TIMEOUT: 'refused',
  TOPIC_AUTHORIZATION_FAILED: 'refused',
  GROUP_AUTHORIZATION_FAILED: 'refused',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'refused',
  CLUSTER_AUTHORIZATION_FAILED: 'refused',
  MESSAGE_TOO_LARGE: 'refused',
  RECORD_LIST_TOO_LARGE: 'refused',
  INVALID_TOPIC_EXCEPTION: 'refused',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'refused',
  UNSUPPORTED_COMPRESSION_TYPE: 'refused',
  INVALID_RECORD: 'record',
  INVALID_TIMESTAMP: 'record',
  INVALID_TXN_STATE: 'failed',
};

export function kindOf(answer: KafkaAnswer): AnswerKind {
  return kinds[answer] ?? 'failed';
}

/** What a person can do about a `refused` answer. `topic`: the sink's, where the request was about it. */
export function mendOf(answer: KafkaAnswer, topic?: string): string {
  switch (answer) {
    case 'INVALID_TRANSACTION_TIMEOUT':
      return "lower ONCEFLOW_TRANSACTION_TIMEOUT_MS or raise the broker's transaction.max.timeout.ms";
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return "the topic's max.message.bytes was lowered while the job ran: start the job again, so that it cuts smaller batches";
    case 'TOPIC_AUTHORIZATION_FAILED':
      return `grant READ, WRITE and DESCRIBE_CONFIGS on ${topic === undefined ? "the sink's topic" : `topic ${topic}`} (READ because its log shows what became of a transaction)`;
    case 'INVALID_RECORD':
      return `the topic takes no such record (a compacted topic takes none without a key)${topic === undefined ? '' : `: look at cleanup.policy of topic ${topic}`}`;
    case 'INVALID_TIMESTAMP':
      return "the record's timestamp is further from now than the topic takes (message.timestamp.before.max.ms, message.timestamp.after.max.ms)";
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return "grant WRITE on the transactional ids with the job's prefix";
    default:
      return 'see the ACLs in the README';
  }
}
