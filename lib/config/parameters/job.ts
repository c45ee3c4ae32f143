import { groupId, name, numbersByStage, oneOf, startingOffsets, text, topicsByUid, wholeNumber, yesNo } from '../kinds.ts';
import { MAX_KEY_GROUPS } from './limits.ts';
import { defaulted, optional, required } from './row.ts';

/** The job: what it is, what it reads and writes, how wide it is. */
export const jobParameters = {
  job: required({
    variable: 'ONCEFLOW_JOB',
    kind: text('the path or specifier of a module whose default export is a job'),
    example: './jobs/word-count.ts',
    readBy: ['host', 'infra'],
    deployment: 'replaces',
    doc: 'Module of the job: a path or a package specifier; its default export is made by `defineJob`.',
  }),
  jobName: optional({
    variable: 'ONCEFLOW_JOB_NAME',
    kind: name,
    unset: "the name in the job's definition",
    readBy: ['host', 'cli'],
    doc: "Overrides the job's name. The name is the job's identity: it finds the state, the epochs and the transactional ids.",
  }),
  topics: defaulted({
    variable: 'ONCEFLOW_TOPICS',
    kind: topicsByUid,
    default: '',
    readBy: ['host'],
    doc: 'Topics that replace those in the job, by uid of the source or sink: `read-lines=lines,write-counts=counts`; those of a sink of several topics each by uid and the topic in the job: `route/orders=test-orders`.',
  }),
  groupId: optional({
    variable: 'ONCEFLOW_GROUP_ID',
    kind: groupId,
    unset: "the job's name",
    readBy: ['coordinator', 'cli', 'infra'],
    doc: 'Consumer group to which input offsets are committed, for lag tools. The job itself goes on from its own manifest.',
  }),
  startingOffsets: optional({
    variable: 'ONCEFLOW_STARTING_OFFSETS',
    kind: startingOffsets,
    unset: 'what each source says',
    readBy: ['host'],
    doc: 'Where a job that has no manifest yet starts to read; overrides the sources of the job. `earliest`; `latest`; `group`: the committed offsets of `ONCEFLOW_GROUP_ID`, and `group:earliest` or `group:latest` for partitions where it has none (else the start is refused); `timestamp:` with milliseconds since 1970 or an ISO date: the first record that is not older; `offsets:0=42,1=17`: every partition named, or the others by `*=earliest` or `*=latest`.',
  }),
  onDataLoss: defaulted({
    variable: 'ONCEFLOW_ON_DATA_LOSS',
    kind: oneOf('stop', 'earliest'),
    default: 'stop',
    readBy: ['coordinator'],
    doc: 'What to do when the offset to go on from is gone (retention has deleted it, or the topic was made anew): `stop` skips nothing; `earliest` goes on at the beginning of what is left, and says aloud what is lost.',
  }),
  onMissingEvidence: defaulted({
    variable: 'ONCEFLOW_ON_MISSING_EVIDENCE',
    kind: oneOf('stop', 'committed', 'lost'),
    default: 'stop',
    readBy: ['coordinator', 'cli'],
    doc: "What to take the output of a decided epoch for, when the sink topic's log no longer says whether it was committed: `stop` asks a person, and names topic, partition and offsets; `committed` and `lost` are that person's answer, for one start: as if it had been read, or to be sent again.",
  }),
  onMissingState: defaulted({
    variable: 'ONCEFLOW_ON_MISSING_STATE',
    kind: oneOf('stop', 'start-anew'),
    default: 'stop',
    readBy: ['coordinator'],
    doc: "What to do when the table knows no epoch of the job, though the offsets of its consumer group say that it has run (another table, a deployment made anew): `stop` says so; `start-anew` is a person's answer, for one start: the state is given up.",
  }),
  commitOffsets: defaulted({
    variable: 'ONCEFLOW_COMMIT_OFFSETS',
    kind: yesNo,
    default: 'true',
    readBy: ['coordinator'],
    doc: 'Whether input offsets are committed to `ONCEFLOW_GROUP_ID` after each epoch: for lag tools, and to notice a table that was set back or is another one.',
  }),
  deliveryGuarantee: defaulted({
    variable: 'ONCEFLOW_DELIVERY_GUARANTEE',
    kind: oneOf('exactly-once', 'at-least-once'),
    default: 'exactly-once',
    readBy: ['coordinator', 'cli'],
    doc: 'How output reaches the sinks: `exactly-once` in Kafka transactions; `at-least-once` without them, after the decision of each epoch: cheaper, visible to every reader, and sent again after a fault. May be changed between two starts.',
  }),
  parallelism: defaulted({
    variable: 'ONCEFLOW_PARALLELISM',
    kind: wholeNumber(1, MAX_KEY_GROUPS),
    unit: 'subtasks',
    default: '1',
    readBy: ['host', 'infra'],
    doc: 'Subtasks of every stage.',
  }),
  stageParallelism: defaulted({
    variable: 'ONCEFLOW_STAGE_PARALLELISM',
    kind: numbersByStage(1, MAX_KEY_GROUPS),
    unit: 'subtasks',
    default: '',
    readBy: ['host'],
    doc: 'Subtasks of single stages, where they differ: `count-words=4,write-counts=2`.',
  }),
  maxParallelism: defaulted({
    variable: 'ONCEFLOW_MAX_PARALLELISM',
    kind: wholeNumber(1, MAX_KEY_GROUPS),
    unit: 'key groups',
    default: '128',
    readBy: ['coordinator'],
    doc: 'Key groups of the job: the widest that a keyed stage can ever be. Fixed when the job is first started.',
  }),
};
