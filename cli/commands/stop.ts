import { SupersededError } from '../../lib/epoch/coordinator/context.ts';
import { holderOf, isLeaseLive } from '../../lib/epoch/start/may-start.ts';
import { duration } from '../../lib/inspect/duration.ts';
import { openTransactionsOf } from '../../lib/inspect/open-transactions.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { finishHere, takeGeneration } from '../finish-job.ts';
import { noSuchJob } from '../no-such-job.ts';
import { whyNotOurs } from '../not-ours.ts';
import { timeout } from '../options.ts';
import type { Tools } from '../tools.ts';

const POLL_MS = 250;
/** How often the wait is said aloud, when nothing changes. */
const SAY_EVERY_MS = 5_000;

export default command({
  name: 'stop',
  usage: 'finish and commit the running epoch, leave no transaction open; a start goes on from there',
  more: 'Works also when the job is dead: it does itself what is left to do.',
  options: { timeout },
  examples: [{ call: 'stop --job word-count --timeout 300', does: 'waits at most five minutes for what is under way' }],
  run: (tools, values) => stop(tools, AbortSignal.timeout(values.timeout * 1_000)),
});

/**
 * Asks the job to stop and waits until it rests: its holder has committed what it decided and given up the lease, and
 * nothing is open under its transactional ids. When nobody holds the job, this process does what is left to do.
 */
export async function stop(tools: Tools, signal: AbortSignal): Promise<CommandResult> {
  const { epochs, clock, job } = tools;
  const asked = await epochs.readJob(job);
  if (asked === undefined) return noSuchJob(tools);
  await tools.kafka();
  if ((await epochs.setDesired(job, 'stopped', asked.incarnation)) === 'superseded') {
    const anew = await epochs.readJob(job);
    if (anew === undefined) return noSuchJob(tools);
    const why = `job ${job} was deleted and made anew meanwhile, and nobody has asked that one to stop: ${holderOf(anew)} has it`;
    return ended(anew, 'started-again', EXIT.startedAgain, why);
  }
  const say = sayNow(tools);
  for (;;) {
    const row = await epochs.readJob(job);
    if (row === undefined) return noSuchJob(tools);
    const step = nextStopStep(row, clock.now());
    if (step.do === 'give-up') return ended(row, 'started-again', EXIT.startedAgain, step.why);
    if (step.do === 'check') {
      const found = await openTransactionsOf(tools, row);
      if (found === 'unknown' || found.open.length + found.ending.length === 0)
        return ended(row, 'stopped', EXIT.ok, restText(row, found === 'unknown'));
      if (found.open.length > 0) await finish(tools, row, signal);
    }
    if (step.do === 'finish') await finish(tools, row, signal);
    if (step.do === 'wait') say(step.why);
    if (signal.aborted) return ended(row, 'timed-out', EXIT.timedOut, timeoutText(row, clock.now()));
    await clock.sleep(POLL_MS, signal);
  }
}

export type StopStep =
  | { readonly do: 'wait' | 'give-up'; readonly why: string }
  /** Nobody holds the job, and something is left to do. */
  | { readonly do: 'finish' }
  /** Its last holder left nothing to do, by the row; Kafka has to be asked. */
  | { readonly do: 'check' };

/** What to do next with a job that was asked to stop. */
export function nextStopStep(row: JobRow, nowMs: number): StopStep {
  if (row.desired === 'running') return { do: 'give-up', why: whyNotOurs(row, nowMs) };
  if (isLeaseLive(row, nowMs)) {
    const { lastCompleted, lastCommitted } = row;
    const progress = lastCompleted === undefined ? '' : `; epoch ${lastCompleted.epoch} completed, ${lastCommitted} recorded as committed`;
    return {
      do: 'wait',
      why: `waiting for ${holderOf(row)} (lease: ${duration(row.leaseExpiresAtMs - nowMs)} left; when it runs out, the rest is done here)${progress}`,
    };
  }
  // A lease that was given up is 0; one that ran out belonged to a process that died.
  const gaveUp = row.leaseExpiresAtMs === 0;
  return gaveUp && row.lastCommitted >= (row.lastCompleted?.epoch ?? 0) ? { do: 'check' } : { do: 'finish' };
}

/** Does what is left to do, unless somebody else has the job by now: what the row says then is looked at anew. */
async function finish(tools: Tools, row: JobRow, signal: AbortSignal): Promise<void> {
  const taken = await takeGeneration(tools, row, 'stop');
  if (taken === undefined) return;
  try {
    await finishHere(tools, taken, signal);
  } catch (error) {
    if (error instanceof SupersededError) return;
    throw error;
  }
  await tools.epochs.releaseLease(row.job, taken.generation, { desired: 'as-it-is', failure: undefined });
}

function sayNow({ say, clock }: Tools): (line: string) => void {
  let saidMs = Number.NEGATIVE_INFINITY;
  return (line) => {
    if (clock.elapsedMs() - saidMs < SAY_EVERY_MS) return;
    saidMs = clock.elapsedMs();
    say(line);
  };
}

function ended(row: JobRow, outcome: string, code: ExitCode, text: string): CommandResult {
  return {
    code,
    json: {
      job: row.job,
      outcome,
      lastCompleted: row.lastCompleted?.epoch ?? null,
      lastCommitted: row.lastCommitted,
      failure: row.failure ?? null,
    },
    text,
  };
}

function restText({ job, lastCompleted, failure }: JobRow, unchecked: boolean): string {
  const epoch = lastCompleted === undefined ? 'it has completed no epoch' : `epoch ${lastCompleted.epoch} is its last, and committed`;
  const open = unchecked
    ? 'its transactional ids were settled (the brokers are older than 3.0 and cannot be asked)'
    : 'no transaction is open';
  const failed = failure === undefined ? '' : `\nit had failed before: ${failure}`;
  return `job ${job} is stopped: ${epoch}; ${open}. A start goes on from there.${failed}`;
}

function timeoutText(row: JobRow, nowMs: number): string {
  const who = isLeaseLive(row, nowMs) ? `; ${holderOf(row)} has it until ${new Date(row.leaseExpiresAtMs).toISOString()}, or longer` : '';
  return `job ${row.job} has not stopped in time${who}. The request stands: it stops when it can; "onceflow stop" again waits on`;
}
