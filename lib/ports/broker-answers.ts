import type { KafkaAnswer } from './kafka-requests.ts';

/**
 * What to do with an answer of a broker: one policy for each, in one place.
 * - `ok`: carried out.
 * - `retry`: not carried out, or harmless to repeat; it passes by itself: a broker starts or stops, a leader or coordinator moves.
 * - `fenced`: a newer producer epoch owns the transactional id; nothing more can be done under this identity.
 * - `refused`: needs a person (missing ACL, a setting); repeating does not help.
 * - `record`: a record is not what the topic takes; it is refused each time, and others are not.
 * - `failed`: anything else; a transaction cannot be trusted any more.
 */
export type AnswerKind = 'ok' | 'retry' | 'fenced' | 'refused' | 'record' | 'failed';

/** Kafka's error codes, as far as requests that we send can be answered with them: number, name, what to do. */
const table: readonly (readonly [code: number, answer: KafkaAnswer, kind: AnswerKind])[] = [
  [-1, 'UNKNOWN_SERVER_ERROR', 'retry'],
  [0, 'NONE', 'ok'],
  [1, 'OFFSET_OUT_OF_RANGE', 'failed'],
  [2, 'CORRUPT_MESSAGE', 'failed'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'retry'],
  [4, 'INVALID_FETCH_SIZE', 'failed'],
  [5, 'LEADER_NOT_AVAILABLE', 'retry'],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'retry'],
  [7, 'REQUEST_TIMED_OUT', 'retry'],
  [8, 'BROKER_NOT_AVAILABLE', 'retry'],
  [9, 'REPLICA_NOT_AVAILABLE', 'retry'],
  [10, 'MESSAGE_TOO_LARGE', 'refused'],
  [12, 'OFFSET_METADATA_TOO_LARGE', 'failed'],
  [13, 'NETWORK_EXCEPTION', 'retry'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'retry'],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'retry'],
  [16, 'NOT_COORDINATOR', 'retry'],
  [17, 'INVALID_TOPIC_EXCEPTION', 'refused'],
  [18, 'RECORD_LIST_TOO_LARGE', 'refused'],
  [19, 'NOT_ENOUGH_REPLICAS', 'retry'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry'],
  [21, 'INVALID_REQUIRED_ACKS', 'failed'],
  [22, 'ILLEGAL_GENERATION', 'failed'],
  [24, 'INVALID_GROUP_ID', 'failed'],
  [25, 'UNKNOWN_MEMBER_ID', 'failed'],
  [27, 'REBALANCE_IN_PROGRESS', 'failed'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', 'failed'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'refused'],
  [30, 'GROUP_AUTHORIZATION_FAILED', 'refused'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'refused'],
  [32, 'INVALID_TIMESTAMP', 'record'],
  [33, 'UNSUPPORTED_SASL_MECHANISM', 'failed'],
  [34, 'ILLEGAL_SASL_STATE', 'failed'],
  [35, 'UNSUPPORTED_VERSION', 'failed'],
  [40, 'INVALID_CONFIG', 'failed'],
  [42, 'INVALID_REQUEST', 'failed'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'refused'],
  [44, 'POLICY_VIOLATION', 'failed'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'failed'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'failed'],
  [47, 'INVALID_PRODUCER_EPOCH', 'fenced'],
  [48, 'INVALID_TXN_STATE', 'failed'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'fenced'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', 'refused'],
  [51, 'CONCURRENT_TRANSACTIONS', 'retry'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', 'failed'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'refused'],
  [54, 'SECURITY_DISABLED', 'failed'],
  [55, 'OPERATION_NOT_ATTEMPTED', 'retry'],
  [56, 'KAFKA_STORAGE_ERROR', 'retry'],
  [58, 'SASL_AUTHENTICATION_FAILED', 'failed'],
  [59, 'UNKNOWN_PRODUCER_ID', 'failed'],
  [69, 'GROUP_ID_NOT_FOUND', 'failed'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 'failed'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', 'failed'],
  [72, 'LISTENER_NOT_FOUND', 'retry'],
  [74, 'FENCED_LEADER_EPOCH', 'retry'],
  [75, 'UNKNOWN_LEADER_EPOCH', 'retry'],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', 'refused'],
  [78, 'OFFSET_NOT_AVAILABLE', 'retry'],
  [82, 'FENCED_INSTANCE_ID', 'failed'],
  [87, 'INVALID_RECORD', 'record'],
  [88, 'UNSTABLE_OFFSET_COMMIT', 'retry'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', 'retry'],
  [90, 'PRODUCER_FENCED', 'fenced'],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', 'failed'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', 'failed'],
  [120, 'TRANSACTION_ABORTABLE', 'failed'],
];

const names: ReadonlyMap<number, KafkaAnswer> = new Map(table.map(([code, answer]) => [code, answer]));
const kinds: ReadonlyMap<KafkaAnswer, AnswerKind> = new Map([
  ['NO_ANSWER', 'retry'],
  ...table.map(([, answer, kind]) => [answer, kind] as const),
]);

/** The name of an error code; `ERROR_<code>` for one that no request of ours should be answered with. */
export function answerOf(errorCode: number): KafkaAnswer {
  return names.get(errorCode) ?? `ERROR_${errorCode}`;
}

export function kindOf(answer: KafkaAnswer): AnswerKind {
  return kinds.get(answer) ?? 'failed';
}

/** Does it pass by itself? */
export function isPassing(answer: KafkaAnswer): boolean {
  return kindOf(answer) === 'retry';
}

/** Of a partition that was well, in a request of which another was not: that one's answer says why. */
const SAYS_NOTHING: KafkaAnswer = 'OPERATION_NOT_ATTEMPTED';

/** The answer for a request that covers several partitions: NONE when all are, else one that will not pass, else any that says why. */
export function worstOf(answers: Iterable<KafkaAnswer>): KafkaAnswer {
  let worst: KafkaAnswer = 'NONE';
  for (const answer of answers) {
    if (answer === 'NONE') continue;
    if (worst === 'NONE' || worst === SAYS_NOTHING || (isPassing(worst) && !isPassing(answer))) worst = answer;
  }
  return worst;
}

/** The rights that an answer says are missing, where it says so: one list for what is logged of a request and of a transaction. */
export function rightsMissing(answer: KafkaAnswer): string | undefined {
  return rights.get(answer);
}

const rights: ReadonlyMap<KafkaAnswer, string> = new Map<KafkaAnswer, string>([
  ['GROUP_AUTHORIZATION_FAILED', 'READ'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'WRITE and DESCRIBE'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'DESCRIBE_CONFIGS'],
]);

/** What a sink's topic needs; READ because its log shows what became of a transaction. */
export const SINK_TOPIC_RIGHTS = 'READ, WRITE and DESCRIBE_CONFIGS';
export const SOURCE_TOPIC_RIGHTS = 'READ and DESCRIBE_CONFIGS';
