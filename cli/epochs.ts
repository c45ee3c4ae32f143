import type { EpochRow, JobRow } from '../lib/ports/epoch-store.ts';
import { type CommandResult, EXIT } from './exit-codes.ts';
import { noSuchJob } from './status.ts';
import { duration, instant, tableOf } from './text.ts';
import type { Tools } from './tools.ts';

/** The newest `limit` epochs whose rows are there: those of retired epochs go after a day. */
export async function epochs(tools: Tools, limit: number): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const newest = row.lastCompleted?.epoch ?? -1;
  const rows = await tools.epochs.listEpochs(row.job, row.incarnation, newest - limit);
  // The job goes on meanwhile: more may be there than when the row was read, and its row says more of them.
  return epochsResult((await tools.epochs.readJob(tools.job)) ?? row, rows.slice(-limit));
}

export function epochsResult(row: JobRow, rows: readonly EpochRow[]): CommandResult {
  const found = rows.map(({ epoch, decisionId, summary }) => ({
    epoch,
    decisionId,
    standing: standingOf(row, epoch),
    ...summary,
    durationMs: summary.decidedAtMs - summary.plannedAtMs,
  }));
  return {
    code: EXIT.ok,
    json: { job: row.job, incarnation: row.incarnation, epochs: found },
    text:
      found.length === 0
        ? `job ${row.job} has no epoch yet`
        : tableOf(
            COLUMNS,
            found.map((each) => [
              `${each.epoch}`,
              instant(each.decidedAtMs),
              duration(each.durationMs),
              `${each.attempts}`,
              `${each.recordsIn}`,
              `${each.recordsOut}`,
              each.standing,
            ]),
          ),
  };
}

const COLUMNS = [
  { title: 'epoch', align: 'right' },
  { title: 'decided at' },
  { title: 'took', align: 'right' },
  { title: 'attempts', align: 'right' },
  { title: 'records in', align: 'right' },
  { title: 'records out', align: 'right' },
  { title: 'is' },
] as const;

/** `committed` as far as it is recorded: that of the newest is recorded with the next decision, or when the job is idle. */
function standingOf({ retiredThrough, lastCommitted }: JobRow, epoch: number): 'retired' | 'committed' | 'decided' {
  if (epoch <= retiredThrough) return 'retired';
  return epoch <= lastCommitted ? 'committed' : 'decided';
}
