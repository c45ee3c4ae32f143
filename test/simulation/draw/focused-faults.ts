import type { DrawnKind } from './fault-kinds.ts';
import type { Focus } from './focus.ts';

interface FocusedFault {
  readonly kind: DrawnKind;
  readonly apis: readonly string[];
  readonly rate: number;
}

/** Restarts, other widths and failures between what is set and what is due. */
const BETWEEN_TIMES: readonly FocusedFault[] = [
  { kind: 'crash', apis: ['decide', 'invoke process', 'invoke read', 'recordCommitted'], rate: 0.03 },
  { kind: 'hand-over', apis: ['decide', 'invoke read'], rate: 0.05 },
  { kind: 'lose', apis: ['invoke process', 'invoke read', 'invoke commit'], rate: 0.08 },
  { kind: 'twice', apis: ['invoke process', 'invoke read'], rate: 0.1 },
  { kind: 'slow', apis: ['invoke process', 'invoke read', 'invoke commit'], rate: 0.15 },
  { kind: 'cold', apis: ['invoke process'], rate: 0.2 },
];

/** What one transaction wrote to several topics is in doubt, or left open. */
const IN_DOUBT: readonly FocusedFault[] = [
  { kind: 'lose', apis: ['commit', 'invoke commit', 'produce', 'addPartitions'], rate: 0.15 },
  { kind: 'twice', apis: ['invoke prepare', 'invoke resolve'], rate: 0.3 },
  { kind: 'late', apis: ['initProducerId', 'invoke prepare', 'produce'], rate: 0.1 },
  { kind: 'freeze', apis: ['initProducerId', 'commit', 'produce'], rate: 0.05 },
  { kind: 'depose', apis: ['decide', 'invoke process'], rate: 0.03 },
];

/** Where a focus puts which faults, and how often. */
export const FOCUSED_FAULTS: Readonly<Record<Focus, readonly FocusedFault[]>> = {
  anything: [],
  // Of what an update writes something is done, and another coordinator goes on; functions begin with what is stored.
  updates: [
    { kind: 'crash', apis: ['setFingerprint', 'beginIncarnation', 'decide'], rate: 0.05 },
    { kind: 'cold', apis: ['invoke process'], rate: 0.1 },
  ],
  doubt: [
    { kind: 'lose', apis: ['commit', 'invoke commit', 'invoke resolve'], rate: 0.3 },
    { kind: 'twice', apis: ['invoke prepare', 'invoke resolve'], rate: 0.3 },
    { kind: 'late', apis: ['initProducerId', 'invoke prepare'], rate: 0.1 },
    { kind: 'slow', apis: ['look', 'search', 'initProducerId', 'invoke commit'], rate: 0.2 },
    { kind: 'freeze', apis: ['initProducerId', 'look', 'commit', 'recordSentAgain', 'describeProducers'], rate: 0.05 },
    { kind: 'late', apis: ['recordSentAgain'], rate: 0.2 },
    { kind: 'crash', apis: ['recordSentAgain', 'initProducerId', 'produce'], rate: 0.03 },
  ],
  // An epoch is sent again more than once, the record of the first time is late, and another coordinator goes on from the row.
  records: [
    { kind: 'late', apis: ['recordSentAgain'], rate: 0.4 },
    { kind: 'crash', apis: ['invoke commit'], rate: 0.2 },
    { kind: 'lose', apis: ['invoke commit'], rate: 0.6 },
    { kind: 'twice', apis: ['invoke prepare', 'invoke resolve'], rate: 0.7 },
  ],
  // What is uploaded and delivered meets coordinators that fall behind, functions that wake up late, and answers that are lost.
  reach: [
    { kind: 'crash', apis: ['beginUpload', 'uploadPart', 'completeUpload', 'deliver', 'recordSentAgain', 'abortUpload'], rate: 0.02 },
    { kind: 'lose', apis: ['uploadPart', 'completeUpload', 'deliver', 'sizeOf', 'invoke commit', 'invoke send'], rate: 0.1 },
    { kind: 'late', apis: ['completeUpload', 'abortUpload', 'deliver', 'invoke prepare', 'invoke send'], rate: 0.06 },
    { kind: 'twice', apis: ['invoke prepare', 'invoke resolve', 'invoke send', 'invoke commit'], rate: 0.2 },
    { kind: 'freeze', apis: ['completeUpload', 'deliver', 'openUploads', 'abortUpload', 'decide', 'isUploadOpen'], rate: 0.03 },
    { kind: 'depose', apis: ['openUploads'], rate: 0.25 },
    { kind: 'depose', apis: ['decide', 'recordCommitted'], rate: 0.03 },
    { kind: 'slow', apis: ['deliver', 'invoke commit'], rate: 0.1 },
    { kind: 'command', apis: ['decide', 'invoke commit', 'invoke send', 'recordCommitted'], rate: 0.03 },
  ],
  time: BETWEEN_TIMES,
  windows: BETWEEN_TIMES,
  connected: BETWEEN_TIMES,
  held: BETWEEN_TIMES,
  tables: BETWEEN_TIMES,
  routing: IN_DOUBT,
  // Its topics are away for a while then (topics-away.ts).
  'topics-away': IN_DOUBT,
  // A source topic is made anew between the plan and the fetch (draw-topics.ts).
  'sources-anew': [{ kind: 'slow', apis: ['invoke read'], rate: 0.3 }],
  // Each start is delivered twice, and coordinators change often.
  starts: [
    { kind: 'depose', apis: ['decide', 'recordCommitted', 'invoke process'], rate: 0.04 },
    { kind: 'hand-over', apis: ['decide', 'invoke read'], rate: 0.05 },
    { kind: 'slow', apis: ['raiseGeneration', 'reviveGeneration', 'startGeneration', 'readJob'], rate: 0.2 },
    { kind: 'lose', apis: ['raiseGeneration', 'reviveGeneration', 'startGeneration'], rate: 0.2 },
  ],
  // Other numbers of subtasks (draw-rescales.ts), while attempts fail in their sinks and coordinators change.
  rescales: [
    ...BETWEEN_TIMES,
    { kind: 'lose', apis: ['invoke prepare', 'widenPool'], rate: 0.15 },
    { kind: 'crash', apis: ['widenPool', 'recordScale'], rate: 0.05 },
    { kind: 'slow', apis: ['widenPool', 'readJob', 'invoke prepare'], rate: 0.1 },
    { kind: 'freeze', apis: ['invoke prepare', 'decide'], rate: 0.03 },
  ],
  // Leaders are elected while output is sent (drawElections).
  elections: [],
  // While a commit drags on, epochs behind it fail.
  pipeline: [
    { kind: 'slow', apis: ['invoke commit'], rate: 0.5 },
    { kind: 'slow', apis: ['invoke read', 'invoke process'], rate: 0.4 },
    { kind: 'lose', apis: ['invoke process', 'commit'], rate: 0.15 },
    { kind: 'error', apis: ['invoke read', 'invoke process'], rate: 0.1 },
  ],
  // People stop, cancel and delete the job while others, and processes that slept meanwhile, go on with it.
  commands: [
    { kind: 'command', apis: ['decide', 'invoke commit', 'invoke prepare', 'recordCommitted', 'readJob', 'widenPool'], rate: 0.04 },
    { kind: 'freeze', apis: ['forgetEpochs', 'list', 'deleteEpochs', 'describeTransactions', 'reviveGeneration', 'decide'], rate: 0.08 },
    { kind: 'crash', apis: ['forgetEpochs', 'deleteEpochs', 'deleteJob', 'releaseLease'], rate: 0.06 },
    { kind: 'late', apis: ['forgetEpochs', 'deleteJob', 'initProducerId', 'decide', 'invoke prepare'], rate: 0.04 },
    { kind: 'lose', apis: ['commit', 'invoke commit'], rate: 0.1 },
    { kind: 'command', apis: ['forgetEpochs', 'list', 'listIncarnations', 'deleteEpochs', 'describeTransactions'], rate: 0.4 },
    { kind: 'rival', apis: ['deleteEpochs', 'deleteJob', 'list', 'decide'], rate: 0.04 },
  ],
  // Savepoints come and go while the job retires, collects and is deleted, and processes that slept meanwhile go on with it.
  savepoints: [
    { kind: 'depose', apis: ['retireThrough', 'listEpochs', 'listSavepoints', 'list', 'delete'], rate: 0.15 },
    {
      kind: 'freeze',
      apis: ['createSavepoint', 'moveSavepoint', 'listSavepoints', 'list', 'delete', 'readEpoch', 'retireThrough'],
      rate: 0.06,
    },
    { kind: 'late', apis: ['createSavepoint', 'moveSavepoint', 'deleteSavepoint', 'beginIncarnation', 'put'], rate: 0.06 },
    { kind: 'lose', apis: ['createSavepoint', 'moveSavepoint', 'beginIncarnation', 'forgetFormer'], rate: 0.2 },
    { kind: 'crash', apis: ['moveSavepoint', 'deleteSavepoint', 'beginIncarnation', 'delete', 'list'], rate: 0.05 },
    { kind: 'command', apis: ['decide', 'beginIncarnation'], rate: 0.015 },
    { kind: 'command', apis: ['importSavepoint'], rate: 0.3 },
    { kind: 'hand-over', apis: ['decide'], rate: 0.05 },
  ],
  // A job goes on from a savepoint with other input.
  moves: [
    { kind: 'lose', apis: ['beginIncarnation', 'decide'], rate: 0.15 },
    { kind: 'crash', apis: ['beginIncarnation', 'decide'], rate: 0.05 },
    { kind: 'late', apis: ['beginIncarnation'], rate: 0.05 },
    { kind: 'hand-over', apis: ['decide'], rate: 0.03 },
  ],
  // Savepoints come to be long after their epoch was looked up.
  pins: [
    { kind: 'late', apis: ['createSavepoint'], rate: 0.5 },
    { kind: 'freeze', apis: ['createSavepoint', 'readEpoch'], rate: 0.1 },
    { kind: 'hand-over', apis: ['decide'], rate: 0.03 },
  ],
  garbage: [
    { kind: 'depose', apis: ['retireThrough', 'listEpochs', 'list', 'delete'], rate: 0.3 },
    { kind: 'hand-over', apis: ['decide'], rate: 0.1 },
    { kind: 'late', apis: ['put'], rate: 0.03 },
  ],
};
