import { holderOf } from '../../lib/epoch/start/may-start.ts';
import { type JobStanding, standingOf } from '../../lib/inspect/standing.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import type { Tools } from '../tools.ts';

/** Lets a job that was stopped or has failed run again. It starts nothing. */
export default command({
  name: 'resume',
  usage: 'let a stopped or failed job run again, when it is next started or revived; it starts nothing',
  options: {},
  examples: [
    { call: 'resume --job word-count', does: 'clears its failure, or the request to stop: the next tick of its schedule revives it' },
  ],
  async run(tools) {
    const { epochs, job } = tools;
    const row = await epochs.readJob(job);
    if (row === undefined) return noSuchJob(tools);
    if ((await epochs.setDesired(job, 'running', row.incarnation)) === 'superseded') return madeAnew(tools);
    return resumed(row, standingOf(row, tools.clock.now()));
  },
});

async function madeAnew(tools: Tools): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const text = `job ${row.job} was deleted and made anew meanwhile, and nobody has asked to resume that one: ${holderOf(row)} has it`;
  return { code: EXIT.startedAgain, json: { job: row.job, outcome: 'started-again' }, text };
}

/** @param before the row as it was before the request. */
export function resumed(before: JobRow, standing: JobStanding): CommandResult {
  return {
    code: EXIT.ok,
    json: { job: before.job, was: standing, clearedFailure: before.failure ?? null },
    text: textOf(before, standing),
  };
}

function textOf({ job, lastCompleted, failure }: JobRow, standing: JobStanding): string {
  const from = lastCompleted === undefined ? 'its starting offsets' : `epoch ${lastCompleted.epoch}`;
  const start =
    'Start its coordinator; where a schedule revives it, its next tick does, and "npm run local" that is still up does at once.';
  switch (standing) {
    case 'running':
      return `job ${job} runs: nothing to resume`;
    case 'stopping':
      return `job ${job} was stopping: it runs on, unless it has just ended. "onceflow status" tells; if it has, it goes on from ${from}. ${start}`;
    case 'dead':
      return `job ${job} is to run already, but nobody runs it. It goes on from ${from}. ${start}`;
    case 'stopped':
    case 'failed':
      return `job ${job} may run again, from ${from}${failure === undefined ? '' : `; its failure is cleared: ${failure}`}. ${start}`;
  }
}
