import { UsageError } from '../../lib/config/usage-error.ts';
import { holderOf, isLeaseLive } from '../../lib/epoch/start/may-start.ts';
import type { StartAt } from '../../lib/epoch/start/start-at.ts';
import { standingOf } from '../../lib/inspect/standing.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import { type CommandResult, command } from '../command.ts';
import { mustBeDeployed } from '../deployed.ts';
import { EXIT } from '../exit-codes.ts';
import { epochNumber, flag, named, startingPoint, timeout } from '../options.ts';
import { startAtOf } from '../start-from.ts';
import type { CommandTools } from '../tools.ts';

const POLL_MS = 500;
/** What a start refuses it refuses sooner, once it has the lease. */
const SETTLE_MS = 3_000;

export default command({
  name: 'start',
  usage: 'start a deployed job, new or stopped, and wait until a coordinator has it',
  more: `Asks the coordinator's function, as a deployment's schedule does each minute for a job that has run before. A job that runs already is left
alone. It is for deployments: on a machine of your own a job runs as a process there.
--from starts it in a new incarnation from a savepoint, --from-epoch from a retained epoch. What it has written behind that it writes again: which
offsets that are is said first, and asked about. What the job has no longer is refused, unless --drop names it.`,
  options: {
    timeout,
    'take-over': flag('also when it runs: another coordinator takes its place at once, nothing is lost'),
    from: named('NAME', 'from this savepoint'),
    'from-epoch': epochNumber('from this retained epoch ("onceflow epochs" shows them)'),
    drop: named('UIDS', 'with --from: leave behind what the savepoint has of these sources, operators and sinks, with commas between'),
    'source-offsets': startingPoint(
      'with --from: its sources go on there and not at its offsets, e.g. timestamp:2026-01-31T12:00:00Z, when the topics are in another cluster',
    ),
    yes: flag('with --from: do not ask'),
  },
  examples: [
    { call: 'start --job word-count', does: 'the first start of a deployment, or the next after a stop; exit code 4 when it fails' },
    { call: 'start --job word-count --take-over', does: 'puts a new coordinator in the place of the one that runs' },
    { call: 'start --job word-count --from before-2.0', does: 'goes on from that savepoint; the job must be stopped' },
    {
      call: 'start --job word-count --from before-2.0 --drop old-count --yes',
      does: 'without the state of an operator that the job has no longer',
    },
    {
      call: 'start --job word-count --from before-2.0 --source-offsets timestamp:2026-01-31T12:00:00Z',
      does: 'with its state, on the input of another cluster from that time on (docs/disasters.md)',
    },
  ],
  async run(tools, values) {
    const { from, drop, yes } = values;
    const takeOver = values['take-over'];
    const asked = { from, epoch: values['from-epoch'], drop, sourceOffsets: values['source-offsets'], yes };
    const startAt = await startAtOf(tools, asked);
    if (startAt === 'no') return { code: EXIT.ok, json: { job: tools.job, outcome: 'not-started' }, text: 'nothing was started' };
    return start(tools, { takeOver, startAt }, AbortSignal.timeout(values.timeout * 1_000));
  },
});

/** Asks for an explicit start and waits for what the job's row says of it. */
export async function start(
  tools: CommandTools,
  { takeOver, startAt }: { readonly takeOver: boolean; readonly startAt?: StartAt | undefined },
  signal: AbortSignal,
): Promise<CommandResult> {
  const { epochs, clock, job, say } = tools;
  const before = await epochs.readJob(job);
  const runs = before !== undefined && !takeOver && standingOf(before, clock.now()) === 'running';
  if (runs && startAt !== undefined)
    throw new UsageError(`job ${job} runs, and nothing was changed: stop it first ("onceflow stop"), or start it with --take-over as well`);
  if (runs)
    return result(before, 'runs-already', `job ${job} runs already: ${holderOf(before)} has it (--take-over puts another in its place)`);
  mustBeDeployed(tools);
  const asked = await tools.startDeployed(startAt);
  say(`asked function ${asked} to start job ${job}`);
  let takenMs: number | undefined;
  while (!signal.aborted) {
    const row = await epochs.readJob(job);
    const step = nextStartStep(before, row, clock.now());
    if (step === 'failed' && row !== undefined)
      return { ...result(row, 'failed', `job ${job} was started and failed: ${row.failure}`), code: EXIT.jobFailed };
    // Until it has moved on, a start from a savepoint may be refused, or commit what was decided before.
    if (step === 'taken' && hasBegun(row, startAt)) takenMs ??= clock.elapsedMs();
    if (row !== undefined && takenMs !== undefined && clock.elapsedMs() - takenMs >= SETTLE_MS)
      return result(row, 'started', `job ${job} is started: ${holderOf(row)} has it, ${fromText(row)}`);
    await clock.sleep(POLL_MS, signal);
  }
  const text = `no coordinator has ${startAt === undefined ? 'taken' : 'started'} job ${job}${startAt === undefined ? '' : ' from there'} in time: function ${asked} was asked; its log says why (onceflow logs --role coordinator)`;
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

/** Is the job where it was to start? */
function hasBegun(row: JobRow | undefined, startAt: StartAt | undefined): boolean {
  return startAt === undefined || row?.startedFrom?.some(({ id }) => id === startAt.once) === true;
}

function fromText({ lastCompleted }: JobRow): string {
  return lastCompleted === undefined ? 'and looks where to begin' : `and goes on from epoch ${lastCompleted.epoch}`;
}

function result(row: JobRow, outcome: string, text: string): CommandResult {
  const { job, generation, holder, lastCompleted, failure } = row;
  const json = { job, outcome, generation, holder, lastCompleted: lastCompleted?.epoch ?? null, failure: failure ?? null };
  return { code: EXIT.ok, json, text };
}
