/** `decider.ts <file> <job> <holder>`: takes the job's generation, decides one epoch after the other, and tells each that was decided; ends with 3 when it is refused. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../lib/sqlite/database.ts';
import { createSqliteEpochStore } from '../../../lib/sqlite/sqlite-epoch-store.ts';

const [file = '', job = '', holder = ''] = process.argv.slice(2);
const store = createSqliteEpochStore({ database: openDatabase({ file }), where: file, nowMs: Date.now });
const { generation, incarnation } = await store.raiseGeneration(job, holder, 5_000);
for (;;) {
  const last = (await store.readJob(job))?.lastCompleted;
  const epoch = last === undefined ? 0 : last.epoch + 1;
  const [decisionId, parentDecisionId] = [randomUUID(), last?.decisionId];
  const position = { offsets: {}, state: {}, outputs: {}, committables: [] };
  const answer = await store.decide({
    ...{
      job,
      incarnation,
      generation,
      epoch,
      decisionId,
      parentDecisionId,
      leaseExpiresAtMs: 9_000,
      lastCommitted: Math.max(0, epoch - 1),
    },
    manifest: { at: 'row', manifest: { version: 3, job, incarnation, epoch, decisionId, parentDecisionId, ...position } },
    summary: { plannedAtMs: 1, decidedAtMs: 2, attempts: 1, recordsIn: 0, recordsOut: 0 },
  });
  if (answer === 'refused') process.exit(3);
  // A job does something between its decisions; who never lets go of the file starves the others.
  await sleep(2);
  if (answer === 'decided') process.send?.(decisionId);
}
