import { holderOf, isLeaseLive } from '../../lib/epoch/start/may-start.ts';
import { standingOf } from '../../lib/inspect/standing.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import { type CommandResult, command } from '../command.ts';
import { mustBeDeployed } from '../deployed.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, timeout } from '../options.ts';
import type { CommandTools } from '../tools.ts';

const POLL_MS = 500;
/** What a start refuses it refuses sooner, once it has the lease. */
const SETTLE_MS = 3_000;

export default command({
  name: 'start',
  usage: 'start a deployed job, new or stopped, and wait until a coordinator has it',
  more: `Asks the coordinator's function, as a deployment's schedule does each minute for a job that has run before. A job that runs already is left
alone. It is for deployments: on a machine of your own a job runs as a process there.`,
  options: { timeout, 'take-over': flag('also when it runs: another coordinator takes its place at once, nothing is lost') },
  examples: [
    { call: 'start --job word-count', does: 'the first start of a deployment, or the next after a stop; exit code 4 when it fails' },
    { call: 'start --job word-count --take-over', does: 'puts a new coordinator in the place of the one that runs' },
  ],
  run: (tools, values) => start(tools, values['take-over'], AbortSignal.timeout(values.timeout * 1_000)),
});

/** Asks for an explicit start and waits for what the job's row says of it. */
export async function start(tools: CommandTools, takeOver: boolean, signal: AbortSignal): Promise<CommandResult> {
  const { epochs, clock, job, say } = tools;
  const before = await epochs.readJob(job);
  if (before !== undefined && !takeOver && standingOf(before, clock.now()) === 'running')
    return result(before, 'runs-already', `job ${job} runs already: ${holderOf(before)} has it (--take-over puts another in its place)`);
  mustBeDeployed(tools);
  const asked = await tools.startDeployed();
  say(`asked function ${asked} to start job ${job}`);
  let takenMs: number | undefined;
  while (!signal.aborted) {
    const row = await epochs.readJob(job);
    const step = nextStartStep(before, row, clock.now());
    if (step === 'failed' && row !== undefined)
      return { ...result(row, 'failed', `job ${job} was started and failed: ${row.failure}`), code: EXIT.jobFailed };
    if (step === 'taken') takenMs ??= clock.elapsedMs();
    if (row !== undefined && takenMs !== undefined && clock.elapsedMs() - takenMs >= SETTLE_MS)
      return result(row, 'started', `job ${job} is started: ${holderOf(row)} has it, ${fromText(row)}`);
    await clock.sleep(POLL_MS, signal);
  }
  const text = `no coordinator has taken job ${job} in time: function ${asked} was asked; its log says why (onceflow logs --role coordinator)`;
  return { code: EXIT.timedOut, json: { job, outcome: 'timed-out', function: asked }, text };
}

/** What a job's row says of a start: nothing yet, a coordinator has it, or it has failed. */
export function nextStartStep(before: JobRow | undefined, row: JobRow | undefined, nowMs: number): 'wait' | 'taken' | 'failed' {
  if (row === undefined) return 'wait';
  const isAnother = before?.generation !== row.generation || before.incarnation !== row.incarnation;
  if (!isAnother) return 'wait';
  if (isLeaseLive(row, nowMs)) return 'taken';
  return row.failure === undefined ? 'wait' : 'failed';
}

function fromText({ lastCompleted }: JobRow): string {
  return lastCompleted === undefined ? 'and looks where to begin' : `and goes on from epoch ${lastCompleted.epoch}`;
}

function result(row: JobRow, outcome: string, text: string): CommandResult {
  const { job, generation, holder, lastCompleted, failure } = row;
  const json = { job, outcome, generation, holder, lastCompleted: lastCompleted?.epoch ?? null, failure: failure ?? null };
  return { code: EXIT.ok, json, text };
}
