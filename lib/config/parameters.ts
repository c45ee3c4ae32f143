import {
  arn,
  blobLocation,
  brokers,
  bucketLocation,
  countOrUnlimited,
  groupId,
  type Kind,
  name,
  numbersByStage,
  oneOf,
  startingOffsets,
  tableName,
  text,
  topic,
  topicArn,
  topicsByUid,
  variableNames,
  wholeNumber,
  yesNo,
} from './kinds.ts';

/** One row of the table. */
export interface Parameter<T> extends Kind<T> {
  /** The environment variable. */
  readonly variable: `ONCEFLOW_${string}`;
  readonly unit: string | undefined;
  /** What it does, for the README and for people who read an error. */
  readonly doc: string;
  readonly whenUnset: WhenUnset;
}

export type WhenUnset =
  /** `text` is parsed as if it had been set. */
  | { readonly is: 'default'; readonly text: string }
  | { readonly is: 'refused'; readonly example: string }
  /** The value is undefined; `means` says what the engine does then. */
  | { readonly is: 'undefined'; readonly means: string };

interface Words {
  readonly variable: Parameter<unknown>['variable'];
  readonly unit?: string;
  readonly doc: string;
}

interface RequiredParameter<T> extends Parameter<T> {
  readonly whenUnset: Extract<WhenUnset, { is: 'refused' }>;
}

function required<T>(words: Words & { readonly kind: Kind<T>; readonly example: string }): RequiredParameter<T> {
  const whenUnset = { is: 'refused', example: words.example } as const;
  return { ...row(words, words.kind, whenUnset), whenUnset };
}

function defaulted<T>(words: Words & { readonly kind: Kind<T>; readonly default: string }): Parameter<T> {
  return row(words, words.kind, { is: 'default', text: words.default });
}

function optional<T>(words: Words & { readonly kind: Kind<T>; readonly unset: string }): Parameter<T | undefined> {
  return row(words, words.kind, { is: 'undefined', means: words.unset });
}

function row<T>(words: Words, kind: Kind<T>, whenUnset: WhenUnset): Parameter<T> {
  return { variable: words.variable, unit: words.unit, doc: words.doc, rule: kind.rule, schema: kind.schema, whenUnset };
}

const MINUTE = 60_000;
/** The longest run of one function on Lambda, which an epoch's stage has to fit in. */
const LONGEST_INVOCATION_MS = 15 * MINUTE;
/** Kafka carries timeouts as 32-bit numbers. */
const MAX_INT32 = 2_147_483_647;
const MAX_KEY_GROUPS = 32_768;

/**
 * Every parameter of the engine, once. An entry here is all that a new parameter needs: its value appears in `Config`,
 * is checked by `readConfig`, and is documented in the README by `npm run docs:config`. Units are the last word of a
 * name; a variable is its name in capitals.
 */
export const parameters = {
  job: required({
    variable: 'ONCEFLOW_JOB',
    kind: text('the path or specifier of a module whose default export is a job'),
    example: './jobs/word-count.ts',
    doc: 'Module of the job: a path or a package specifier; its default export is made by `defineJob`.',
  }),
  jobName: optional({
    variable: 'ONCEFLOW_JOB_NAME',
    kind: name,
    unset: "the name in the job's definition",
    doc: "Overrides the job's name. The name is the job's identity: it finds the state, the epochs and the transactional ids.",
  }),
  brokers: required({
    variable: 'ONCEFLOW_BROKERS',
    kind: brokers,
    example: 'localhost:9092',
    doc: 'Kafka brokers to connect to first.',
  }),
  kafkaSecurityProtocol: defaulted({
    variable: 'ONCEFLOW_KAFKA_SECURITY_PROTOCOL',
    kind: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
    default: 'PLAINTEXT',
    doc: "Kafka's `security.protocol`: what the listener of `ONCEFLOW_BROKERS` speaks. `SSL` and `SASL_SSL` are TLS.",
  }),
  kafkaSaslMechanism: optional({
    variable: 'ONCEFLOW_KAFKA_SASL_MECHANISM',
    kind: oneOf('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'AWS_MSK_IAM'),
    unset: 'no login',
    doc: "Kafka's `sasl.mechanism`: how to log in, with `SASL_PLAINTEXT` or `SASL_SSL`. `AWS_MSK_IAM` logs in with the AWS credentials of the process; the others need a secret.",
  }),
  kafkaCaFile: optional({
    variable: 'ONCEFLOW_KAFKA_CA_FILE',
    kind: text('the path of a file with certificates in PEM'),
    unset: 'the authorities that Node trusts',
    doc: "Certificates of the authorities that signed the brokers' certificates, PEM. A deployment takes the file along. MSK does not need it.",
  }),
  kafkaSecretArn: optional({
    variable: 'ONCEFLOW_KAFKA_SECRET_ARN',
    kind: arn(
      'a secret of AWS Secrets Manager',
      'secretsmanager',
      'secret:',
      'arn:aws:secretsmanager:us-east-1:123456789012:secret:AmazonMSK_job-AbCdEf',
    ),
    unset: 'none',
    doc: 'User and password for `PLAIN` and `SCRAM-…`: a secret of AWS Secrets Manager, `{"username": …, "password": …}` as MSK wants it.',
  }),
  kafkaCredentialsFile: optional({
    variable: 'ONCEFLOW_KAFKA_CREDENTIALS_FILE',
    kind: text('the path of a JSON file with username and password'),
    unset: 'none',
    doc: 'The same from a file with the same JSON, on a machine of your own; not in a deployment.',
  }),
  kafkaSecretTtlMs: defaulted({
    variable: 'ONCEFLOW_KAFKA_SECRET_TTL_MS',
    kind: wholeNumber(1000, MAX_INT32),
    unit: 'ms',
    default: '300000',
    doc: 'How long user and password are kept in memory before new connections read the secret or the file again. A refused login reads it again at once.',
  }),
  kafkaRequestTimeoutMs: optional({
    variable: 'ONCEFLOW_KAFKA_REQUEST_TIMEOUT_MS',
    kind: wholeNumber(100, LONGEST_INVOCATION_MS),
    unset: 'a third of the shorter of epoch and commit timeout, from 2000 to 10000',
    unit: 'ms',
    doc: "Kafka's `request.timeout.ms`: a broker that leaves a request unanswered for so long is taken for one that hangs, and who does its work is asked of another. At most half of the shorter of `ONCEFLOW_EPOCH_TIMEOUT_MS` and `ONCEFLOW_COMMIT_TIMEOUT_MS`.",
  }),
  table: defaulted({
    variable: 'ONCEFLOW_TABLE',
    kind: tableName,
    default: 'onceflow',
    doc: 'DynamoDB table of jobs and epochs. Many jobs can share it.',
  }),
  blobs: required({
    variable: 'ONCEFLOW_BLOBS',
    kind: blobLocation,
    example: 's3://my-bucket/onceflow',
    doc: 'Where snapshots, exchanges and staged output are kept: `s3://bucket`, `s3://bucket/prefix`, or `file:///folder` on one machine.',
  }),
  topics: defaulted({
    variable: 'ONCEFLOW_TOPICS',
    kind: topicsByUid,
    default: '',
    doc: 'Topics that replace those in the job, by uid of the source or sink: `read-lines=lines,write-counts=counts`.',
  }),
  groupId: optional({
    variable: 'ONCEFLOW_GROUP_ID',
    kind: groupId,
    unset: "the job's name",
    doc: 'Consumer group to which input offsets are committed, for lag tools. The job itself goes on from its own manifest.',
  }),
  startingOffsets: optional({
    variable: 'ONCEFLOW_STARTING_OFFSETS',
    kind: startingOffsets,
    unset: 'what each source says',
    doc: 'Where a job that has no manifest yet starts to read; overrides the sources of the job. `earliest`; `latest`; `group`: the committed offsets of `ONCEFLOW_GROUP_ID`, and `group:earliest` or `group:latest` for partitions where it has none (else the start is refused); `timestamp:` with milliseconds since 1970 or an ISO date: the first record that is not older; `offsets:0=42,1=17`: every partition named, or the others by `*=earliest` or `*=latest`.',
  }),
  onDataLoss: defaulted({
    variable: 'ONCEFLOW_ON_DATA_LOSS',
    kind: oneOf('stop', 'earliest'),
    default: 'stop',
    doc: 'What to do when the offset to go on from is gone (retention has deleted it, or the topic was made anew): `stop` skips nothing; `earliest` goes on at the beginning of what is left, and says aloud what is lost.',
  }),
  onMissingEvidence: defaulted({
    variable: 'ONCEFLOW_ON_MISSING_EVIDENCE',
    kind: oneOf('stop', 'committed', 'lost'),
    default: 'stop',
    doc: "What to take the output of a decided epoch for, when the sink topic's log no longer says whether it was committed: `stop` asks a person, and names topic, partition and offsets; `committed` and `lost` are that person's answer, for one start: as if it had been read, or to be sent again.",
  }),
  onMissingState: defaulted({
    variable: 'ONCEFLOW_ON_MISSING_STATE',
    kind: oneOf('stop', 'start-anew'),
    default: 'stop',
    doc: "What to do when the table knows no epoch of the job, though the offsets of its consumer group say that it has run (another table, a deployment made anew): `stop` says so; `start-anew` is a person's answer, for one start: the state is given up.",
  }),
  commitOffsets: defaulted({
    variable: 'ONCEFLOW_COMMIT_OFFSETS',
    kind: yesNo,
    default: 'true',
    doc: 'Whether input offsets are committed to `ONCEFLOW_GROUP_ID` after each epoch: for lag tools, and to notice a table that was set back or is another one.',
  }),
  deliveryGuarantee: defaulted({
    variable: 'ONCEFLOW_DELIVERY_GUARANTEE',
    kind: oneOf('exactly-once', 'at-least-once'),
    default: 'exactly-once',
    doc: 'How output reaches the sinks: `exactly-once` in Kafka transactions; `at-least-once` without them, after the decision of each epoch: cheaper, visible to every reader, and sent again after a fault. May be changed between two starts.',
  }),
  checkpointIntervalMs: defaulted({
    variable: 'ONCEFLOW_CHECKPOINT_INTERVAL_MS',
    kind: wholeNumber(10, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '1000',
    doc: 'Time from the start of an epoch to the start of the next. Output becomes visible about this late.',
  }),
  epochTimeoutMs: defaulted({
    variable: 'ONCEFLOW_EPOCH_TIMEOUT_MS',
    kind: wholeNumber(100, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '60000',
    doc: 'An attempt at an epoch that is not decided within this time is given up, and the epoch is tried again.',
  }),
  commitTimeoutMs: defaulted({
    variable: 'ONCEFLOW_COMMIT_TIMEOUT_MS',
    kind: wholeNumber(100, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '30000',
    doc: 'How long the commit of a decided epoch is repeated before it counts as doubtful and is resolved.',
  }),
  recoveryTimeoutMs: defaulted({
    variable: 'ONCEFLOW_RECOVERY_TIMEOUT_MS',
    kind: wholeNumber(100, MAX_INT32),
    unit: 'ms',
    default: '120000',
    doc: 'Worst time from the crash of a coordinator until its successor has asked for the commits of what was decided.',
  }),
  transactionTimeoutMs: defaulted({
    variable: 'ONCEFLOW_TRANSACTION_TIMEOUT_MS',
    kind: wholeNumber(1000, MAX_INT32),
    unit: 'ms',
    default: '600000',
    doc: "Kafka's `transaction.timeout.ms`: the broker aborts a transaction that is open for longer. Must exceed epoch timeout + commit timeout + worst recovery, and not exceed the broker's `transaction.max.timeout.ms`.",
  }),
  parallelism: defaulted({
    variable: 'ONCEFLOW_PARALLELISM',
    kind: wholeNumber(1, MAX_KEY_GROUPS),
    unit: 'subtasks',
    default: '1',
    doc: 'Subtasks of every stage.',
  }),
  stageParallelism: defaulted({
    variable: 'ONCEFLOW_STAGE_PARALLELISM',
    kind: numbersByStage(1, MAX_KEY_GROUPS),
    unit: 'subtasks',
    default: '',
    doc: 'Subtasks of single stages, where they differ: `count-words=4,write-counts=2`.',
  }),
  maxParallelism: defaulted({
    variable: 'ONCEFLOW_MAX_PARALLELISM',
    kind: wholeNumber(1, MAX_KEY_GROUPS),
    unit: 'key groups',
    default: '128',
    doc: 'Key groups of the job: the widest that a keyed stage can ever be. Fixed when the job is first started.',
  }),
  maxEpochBytes: defaulted({
    variable: 'ONCEFLOW_MAX_EPOCH_BYTES',
    kind: wholeNumber(1, MAX_INT32),
    unit: 'bytes',
    default: '67108864',
    doc: 'Most input that one source subtask reads in one epoch: bounds the memory of functions and the size of blobs.',
  }),
  maxUnpackedBatchBytes: defaulted({
    variable: 'ONCEFLOW_MAX_UNPACKED_BATCH_BYTES',
    kind: wholeNumber(1_048_576, MAX_INT32),
    unit: 'bytes',
    default: '67108864',
    doc: 'Most that one compressed batch of the input may unpack to: bounds the memory of a source function whatever a producer sends. A larger one stops the job, which says where it is.',
  }),
  maxConcurrentEpochs: defaulted({
    variable: 'ONCEFLOW_MAX_CONCURRENT_EPOCHS',
    kind: wholeNumber(1, 100),
    unit: 'epochs',
    default: '3',
    doc: 'Most epochs that are planned and not yet committed. 1: an epoch starts when the one before is committed.',
  }),
  inlineBlobBytes: defaulted({
    variable: 'ONCEFLOW_INLINE_BLOB_BYTES',
    kind: wholeNumber(0, 1_048_576),
    unit: 'bytes',
    default: '16384',
    doc: 'Blobs up to this size travel inside requests, answers and manifests instead of through the blob store. At a high parallelism it is less, so that what meets in one request fits.',
  }),
  idlePollMaxMs: defaulted({
    variable: 'ONCEFLOW_IDLE_POLL_MAX_MS',
    kind: wholeNumber(10, MINUTE),
    unit: 'ms',
    default: '1000',
    doc: 'While there is no input the coordinator looks for some after the checkpoint interval, and then after a quarter longer each time, up to this. Input after a quiet time may wait so long.',
  }),
  idleExitMs: optional({
    variable: 'ONCEFLOW_IDLE_EXIT_MS',
    kind: wholeNumber(0, LONGEST_INVOCATION_MS),
    unset: 'it stays',
    unit: 'ms',
    doc: 'In a deployment: after this long without input the coordinator ends, and the tick of each minute looks for input. Costs cents a month instead of a running function; input after a quiet time waits up to a minute.',
  }),
  standby: defaulted({
    variable: 'ONCEFLOW_STANDBY',
    kind: oneOf('none', 'keep'),
    default: 'none',
    doc: 'In a deployment: `keep` has a second coordinator function wait at all times, which takes over when the lease of one that crashed runs out. `none`: the next tick does, up to a minute later.',
  }),
  leaseMs: defaulted({
    variable: 'ONCEFLOW_LEASE_MS',
    kind: wholeNumber(100, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '30000',
    doc: "A coordinator's lease. A scheduled revival waits until it has expired; an explicit start does not.",
  }),
  takeover: defaulted({
    variable: 'ONCEFLOW_TAKEOVER',
    kind: oneOf('allow', 'refuse'),
    default: 'allow',
    doc: 'What an explicit start does when another process holds the job: `allow` takes the job over at once, the other process ends; `refuse` starts nothing while the lease of the other lasts.',
  }),
  retainedCheckpoints: defaulted({
    variable: 'ONCEFLOW_RETAINED_CHECKPOINTS',
    kind: wholeNumber(1, 1000),
    unit: 'epochs',
    default: '3',
    doc: 'Completed epochs whose snapshots are kept, the newest included.',
  }),
  cancelRetention: defaulted({
    variable: 'ONCEFLOW_CANCEL_RETENTION',
    kind: oneOf('retain', 'delete'),
    default: 'retain',
    doc: 'What `onceflow cancel` leaves: `retain` keeps the state, so that the next start goes on from the last completed epoch; `delete` removes blobs, epochs and the job itself.',
  }),
  minPauseMs: defaulted({
    variable: 'ONCEFLOW_MIN_PAUSE_MS',
    kind: wholeNumber(0, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '0',
    doc: 'Least time from the commit of an epoch to the start of the next. Above 0 there is one epoch at a time.',
  }),
  refusalTimeoutMs: defaulted({
    variable: 'ONCEFLOW_REFUSAL_TIMEOUT_MS',
    kind: wholeNumber(0, 24 * 3_600_000),
    unit: 'ms',
    default: '60000',
    doc: 'How long brokers, table or blob store may refuse something to a job that runs (an ACL, a topic that nobody knows, a credential) until it stops for it: such answers come and go while clusters restart and rights are changed. When a person starts the job, one is enough.',
  }),
  tolerableFailures: defaulted({
    variable: 'ONCEFLOW_TOLERABLE_FAILURES',
    kind: countOrUnlimited(0, 1_000_000),
    unit: 'attempts',
    default: 'unlimited',
    doc: 'Failed attempts in a row, not of user code (broker, store, timeout, killed function), that do not stop the job.',
  }),
  restartStrategy: defaulted({
    variable: 'ONCEFLOW_RESTART_STRATEGY',
    kind: oneOf('exponential', 'fixed-delay', 'failure-rate', 'none'),
    default: 'exponential',
    doc: 'What follows a failed attempt at an epoch: `exponential` tries again without end, after pauses that double; `fixed-delay` so many times in a row; `failure-rate` while failures are not too frequent; `none` stops the job. A job that is given up can be started again.',
  }),
  restartBackoffMs: defaulted({
    variable: 'ONCEFLOW_RESTART_BACKOFF_MS',
    kind: wholeNumber(0, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '100',
    doc: '`exponential`: wait before an epoch is tried again; doubled after every failure in a row. Up to a fifth less at random, as every such wait.',
  }),
  restartBackoffMaxMs: defaulted({
    variable: 'ONCEFLOW_RESTART_BACKOFF_MAX_MS',
    kind: wholeNumber(0, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '10000',
    doc: '`exponential`: the longest such wait.',
  }),
  restartAttempts: defaulted({
    variable: 'ONCEFLOW_RESTART_ATTEMPTS',
    kind: wholeNumber(1, 1_000_000),
    unit: 'attempts',
    default: '10',
    doc: '`fixed-delay`: how often in a row an epoch is tried again before the job is given up.',
  }),
  restartDelayMs: defaulted({
    variable: 'ONCEFLOW_RESTART_DELAY_MS',
    kind: wholeNumber(0, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '1000',
    doc: '`fixed-delay` and `failure-rate`: wait before an epoch is tried again.',
  }),
  restartMaxFailures: defaulted({
    variable: 'ONCEFLOW_RESTART_MAX_FAILURES',
    kind: wholeNumber(1, 1_000_000),
    unit: 'failures',
    default: '10',
    doc: '`failure-rate`: failures within the interval after which an epoch is still tried again.',
  }),
  restartFailureIntervalMs: defaulted({
    variable: 'ONCEFLOW_RESTART_FAILURE_INTERVAL_MS',
    kind: wholeNumber(1, MAX_INT32),
    unit: 'ms',
    default: '60000',
    doc: '`failure-rate`: the interval.',
  }),
  poisonAttempts: defaulted({
    variable: 'ONCEFLOW_POISON_ATTEMPTS',
    kind: countOrUnlimited(1, 1_000_000),
    unit: 'attempts',
    default: '10',
    doc: 'How often in a row user code must fail at one record alone before the record is poison. `unlimited`: it is tried for ever.',
  }),
  poisonPolicy: defaulted({
    variable: 'ONCEFLOW_POISON_POLICY',
    kind: oneOf('stop', 'dead-letter'),
    default: 'stop',
    doc: 'What becomes of a record that is poison, or that the serde of its source cannot read: `stop` stops the job, which skips nothing; `dead-letter` writes the record to `ONCEFLOW_DEAD_LETTER_TOPIC`, exactly once, and goes on behind it.',
  }),
  deadLetterTopic: optional({
    variable: 'ONCEFLOW_DEAD_LETTER_TOPIC',
    kind: topic,
    unset: 'none',
    doc: 'Topic of records that were left out (`ONCEFLOW_POISON_POLICY=dead-letter`): key, value, headers and timestamp as they were, and headers `onceflow.…` that say why. None of the topics of the job.',
  }),
  partitionDiscoveryIntervalMs: defaulted({
    variable: 'ONCEFLOW_PARTITION_DISCOVERY_INTERVAL_MS',
    kind: wholeNumber(100, MAX_INT32),
    unit: 'ms',
    default: '10000',
    doc: 'How often source topics are asked whether they have more partitions than before.',
  }),
  buildId: defaulted({
    variable: 'ONCEFLOW_BUILD_ID',
    kind: name,
    default: 'unversioned',
    doc: 'The build that a function runs, set by a deployment: functions of two builds never share an epoch.',
  }),
  functionPrefix: optional({
    variable: 'ONCEFLOW_FUNCTION_PREFIX',
    kind: name,
    unset: "the job's name",
    doc: 'In a deployment: what the names of the functions begin with. Two deployments of one job in one account need two.',
  }),
  kafkaClusterArn: optional({
    variable: 'ONCEFLOW_KAFKA_CLUSTER_ARN',
    kind: arn('an MSK cluster', 'kafka', 'cluster/', 'arn:aws:kafka:us-east-1:123456789012:cluster/name/uuid'),
    unset: 'none',
    doc: 'In a deployment with `AWS_MSK_IAM`: the cluster, on whose topics, groups and transactional ids the functions get their permissions.',
  }),
  kafkaSecretKeyArn: optional({
    variable: 'ONCEFLOW_KAFKA_SECRET_KEY_ARN',
    kind: arn('a KMS key', 'kms', 'key/', 'arn:aws:kms:us-east-1:123456789012:key/uuid'),
    unset: "AWS's own key",
    doc: 'In a deployment: the KMS key that encrypts the secret, where it is one of your own (secrets for MSK must have one). The functions may decrypt the secret with it.',
  }),
  jobEnvironment: optional({
    variable: 'ONCEFLOW_JOB_ENVIRONMENT',
    kind: variableNames,
    unset: 'none',
    doc: "In a deployment: variables that the job's own code reads, `ORDERS_TOPIC,MOST_ITEMS`: its functions get them with the values that they have where it is deployed. One that the job reads, that is set there and is not named here, is refused.",
  }),
  architecture: defaulted({
    variable: 'ONCEFLOW_ARCHITECTURE',
    kind: oneOf('arm64', 'x86_64'),
    default: 'arm64',
    doc: 'In a deployment: the processor of the functions.',
  }),
  functionMemoryMb: defaulted({
    variable: 'ONCEFLOW_FUNCTION_MEMORY_MB',
    kind: wholeNumber(256, 10_240),
    unit: 'MB',
    default: '1769',
    doc: 'In a deployment: memory of source, operator and sink functions; their share of processors follows it, 1769 MB are one.',
  }),
  coordinatorMemoryMb: defaulted({
    variable: 'ONCEFLOW_COORDINATOR_MEMORY_MB',
    kind: wholeNumber(128, 10_240),
    unit: 'MB',
    default: '512',
    doc: 'In a deployment: memory of the coordinator, which runs all the time: the idle cost follows it.',
  }),
  coordinatorLifetimeMs: defaulted({
    variable: 'ONCEFLOW_COORDINATOR_LIFETIME_MS',
    kind: wholeNumber(3 * MINUTE, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '900000',
    doc: 'In a deployment: how long one coordinator function may run. It hands over 20 s before.',
  }),
  operatorConcurrency: optional({
    variable: 'ONCEFLOW_OPERATOR_CONCURRENCY',
    kind: wholeNumber(1, 1000),
    unset: 'none is reserved',
    doc: "In a deployment: reserved concurrency of each operator subtask's function. Not needed for correctness; new accounts have little to reserve.",
  }),
  logRetentionDays: defaulted({
    variable: 'ONCEFLOW_LOG_RETENTION_DAYS',
    kind: oneOf('1', '3', '7', '14', '30', '60', '90', '180', '365'),
    unit: 'days',
    default: '30',
    doc: 'In a deployment: how long the logs of the functions are kept.',
  }),
  logLevel: defaulted({
    variable: 'ONCEFLOW_LOG_LEVEL',
    kind: oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    doc: 'In a deployment: what the functions log. `debug` adds every step of every epoch; at `info` a job that is well logs little.',
  }),
  monitoring: defaulted({
    variable: 'ONCEFLOW_MONITORING',
    kind: oneOf('on', 'off'),
    default: 'on',
    doc: 'In a deployment: metrics, a dashboard and alarms in CloudWatch, which bills them; `off` leaves all three out.',
  }),
  alarmTopic: optional({
    variable: 'ONCEFLOW_ALARM_TOPIC',
    kind: topicArn,
    unset: 'nobody is told',
    doc: 'In a deployment: ARN of the SNS topic to which alarms, and their ends, are sent.',
  }),
  removal: defaulted({
    variable: 'ONCEFLOW_REMOVAL',
    kind: oneOf('retain', 'destroy'),
    default: 'retain',
    doc: 'In a deployment: what becomes of table and bucket when the stack is deleted. `retain` also protects the table from deletion.',
  }),
  adoptTable: optional({
    variable: 'ONCEFLOW_ADOPT_TABLE',
    kind: tableName,
    unset: 'a new one',
    doc: 'In a deployment: the table of an earlier one, to go on from; with `ONCEFLOW_ADOPT_BLOBS`. It stays when the stack is deleted.',
  }),
  adoptBlobs: optional({
    variable: 'ONCEFLOW_ADOPT_BLOBS',
    kind: bucketLocation,
    unset: 'a new one',
    doc: 'In a deployment: the bucket of an earlier one, `s3://bucket` or `s3://bucket/prefix` as its outputs said; with `ONCEFLOW_ADOPT_TABLE`.',
  }),
  stack: defaulted({
    variable: 'ONCEFLOW_STACK',
    kind: oneOf('embedded', 'external'),
    default: 'embedded',
    doc: 'Local commands and tests: whether they start Kafka and the AWS emulator, or use what runs at `ONCEFLOW_BROKERS` and `AWS_ENDPOINT_URL`.',
  }),
  dynamodbLocal: optional({
    variable: 'ONCEFLOW_DYNAMODB_LOCAL',
    kind: text('the URL of a DynamoDB Local'),
    unset: '`http://127.0.0.1:8000` with the external stack',
    doc: 'Tests: the second DynamoDB that the epoch store is checked on.',
  }),
  benchDir: optional({
    variable: 'ONCEFLOW_BENCH_DIR',
    kind: text('a folder'),
    unset: '`onceflow-bench` in the folder for temporary files',
    doc: 'Benchmarks: where the emulator and the blobs of a run are kept.',
  }),
};

type Table = typeof parameters;

/** Every parameter's value, parsed and checked. */
export type Config = { readonly [Name in keyof Table]: Table[Name] extends Parameter<infer T> ? T : never };

/** Parameters that a job cannot do without. */
export type RequiredName = { [Name in keyof Table]: Table[Name] extends RequiredParameter<unknown> ? Name : never }[keyof Table];

/** The same for a tool that may need only some of the required ones: those that are not set are undefined. */
export type ToolConfig = Omit<Config, RequiredName> & Partial<Pick<Config, RequiredName>>;
