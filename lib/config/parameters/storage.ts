import { blobLocation, oneOf, tableLocation, wholeNumber } from '../kinds.ts';
import { defaulted, optional, required } from './row.ts';

/** Where epochs and blobs are, and what is kept of them. */
export const storageParameters = {
  table: defaulted({
    variable: 'ONCEFLOW_TABLE',
    kind: tableLocation,
    default: 'onceflow',
    readBy: ['host', 'cli'],
    deployment: 'makes',
    doc: 'Table of jobs and epochs, which many jobs can share: one of DynamoDB, or, for processes of one machine, a file of SQLite, `file:///absolute/file`.',
  }),
  blobs: required({
    variable: 'ONCEFLOW_BLOBS',
    kind: blobLocation,
    example: 's3://my-bucket/onceflow',
    readBy: ['host'],
    deployment: 'makes',
    doc: 'Where snapshots, exchanges and staged output are kept: `s3://bucket`, `s3://bucket/prefix`, or `file:///folder` on one machine.',
  }),
  inlineBlobBytes: defaulted({
    variable: 'ONCEFLOW_INLINE_BLOB_BYTES',
    kind: wholeNumber(0, 1_048_576),
    unit: 'bytes',
    default: '16384',
    readBy: ['source', 'operator', 'sink', 'cli'],
    doc: 'Blobs up to this size travel inside requests, answers and manifests instead of through the blob store. At a high parallelism it is less, so that what meets in one request fits.',
  }),
  stateMemoryBytes: optional({
    variable: 'ONCEFLOW_STATE_MEMORY_BYTES',
    kind: wholeNumber(1_048_576, 1_099_511_627_776),
    unit: 'bytes',
    unset: 'no bound: all keyed state is in memory',
    readBy: ['operator', 'infra'],
    doc: 'What the keyed state of each operator subtask may take in memory, by estimate; what is beyond it is on the local disk, in the folder for temporary files. What one epoch touches is in memory besides.',
  }),
  retainedCheckpoints: defaulted({
    variable: 'ONCEFLOW_RETAINED_CHECKPOINTS',
    kind: wholeNumber(1, 1000),
    unit: 'epochs',
    default: '3',
    readBy: ['coordinator'],
    doc: 'Completed epochs whose snapshots are kept, the newest included.',
  }),
  cancelRetention: defaulted({
    variable: 'ONCEFLOW_CANCEL_RETENTION',
    kind: oneOf('retain', 'delete'),
    default: 'retain',
    readBy: ['cli'],
    doc: 'What `onceflow cancel` leaves: `retain` keeps the state, so that the next start goes on from the last completed epoch; `delete` removes blobs, epochs and the job itself.',
  }),
};
