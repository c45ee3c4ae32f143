import { type Config, parameters } from '../../lib/config/parameters.ts';
import { LeftToNextError, SupersededError } from '../../lib/epoch/coordinator/context.ts';
import { pinsOf } from '../../lib/epoch/garbage/live.ts';
import { CONTROL_POLL_MS } from '../../lib/epoch/loop/chores.ts';
import { isLeaseLive } from '../../lib/epoch/start/may-start.ts';
import { openTransactionsOf } from '../../lib/inspect/open-transactions.ts';
import type { FencedWrite, HeldJob, JobRow } from '../../lib/ports/epoch-store.ts';
import { createBlobs } from '../../lib/storage/blobs.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { finishHere, takeGeneration } from '../finish-job.ts';
import { forgetThatItRan } from '../forget-witness.ts';
import { noSuchJob } from '../no-such-job.ts';
import { whyNotOurs } from '../not-ours.ts';
import { oneOf, timeout } from '../options.ts';
import { plural } from '../text.ts';
import type { Tools } from '../tools.ts';

const POLL_MS = 250;
const DELETE_TOGETHER = 500;

export default command({
  name: 'cancel',
  usage: 'give up what is not decided; with "delete" remove the job and all its data',
  more: `Works also when the job is dead: it does itself what is left to do. What was decided is committed all the same: a decision
cannot be taken back.`,
  options: {
    timeout,
    retention: oneOf({ words: ['retain', 'delete'], help: `default: ${parameters.cancelRetention.variable}, or retain` }),
  },
  examples: [
    { call: 'cancel --job word-count', does: 'ends it at once; a start goes on from its last completed epoch' },
    {
      call: 'cancel --job word-count --retention delete',
      does: 'removes its state too, but for what savepoints keep: a start of this name begins anew',
    },
  ],
  run: (tools, { timeout: seconds, retention = tools.config.cancelRetention }) =>
    cancel(tools, retention, AbortSignal.timeout(seconds * 1_000)),
});

/**
 * Takes the job from whoever holds it, at once: what that one has not decided is given up, what it has decided is
 * committed here. Then applies the retention. Crashed at any point, it can be run again and finishes.
 */
export async function cancel(tools: Tools, retention: Config['cancelRetention'], signal: AbortSignal): Promise<CommandResult> {
  const { epochs, job } = tools;
  const asked = await epochs.readJob(job);
  if (asked === undefined) return noSuchJob(tools);
  // Before anything is changed: what is not configured is said.
  await Promise.all([tools.kafka(), tools.blobStore()]);
  if ((await epochs.setDesired(job, 'stopped', asked.incarnation)) === 'superseded') return startedAgain(tools);
  const took = await takeFromAnyone(tools, asked);
  if (took === undefined) return startedAgain(tools);
  const { wasAlive, taken } = took;
  try {
    await finishHere(tools, taken, signal);
    await untilQuiet(tools, taken, wasAlive, signal);
  } catch (error) {
    if (error instanceof SupersededError) return startedAgain(tools);
    throw error;
  }
  if (retention === 'delete') return deleteAll(tools, (await epochs.readJob(job)) ?? taken, taken);
  const released = await release(tools, taken);
  const row = (await epochs.readJob(job)) ?? taken;
  // It is at rest, and somebody has let it run again meanwhile.
  if (released === 'superseded' || row.desired === 'running') return startedAgain(tools);
  const epoch =
    row.lastCompleted === undefined ? 'it had completed no epoch' : `epoch ${row.lastCompleted.epoch} is its last, and committed`;
  return ended(row, 'cancelled', EXIT.ok, {
    text: `job ${job} is cancelled: ${epoch}; no transaction is open. Its state is retained: a start goes on from there.`,
  });
}

function release({ epochs }: Tools, { job, generation }: HeldJob): Promise<FencedWrite> {
  return epochs.releaseLease(job, generation, { desired: 'as-it-is', failure: undefined });
}

/**
 * Undefined when the job was deleted meanwhile, or deleted and made anew: that one nobody has asked to cancel. Also when somebody has
 * let it run again: what a person asks for last counts.
 */
async function takeFromAnyone(
  tools: Tools,
  { incarnation }: JobRow,
): Promise<{ readonly wasAlive: boolean; readonly taken: JobRow } | undefined> {
  for (;;) {
    const row = await tools.epochs.readJob(tools.job);
    if (row?.incarnation !== incarnation || row.desired === 'running') return undefined;
    const wasAlive = isLeaseLive(row, tools.clock.now());
    const taken = await takeGeneration(tools, row, 'cancel');
    if (taken !== undefined) return { wasAlive, taken };
  }
}

/**
 * A holder that was alive learns that it was deposed when it next reads the row; until then one of its functions may
 * begin a transaction that it will never decide. So wait for that long, and settle what came: also when nothing is said to be
 * open any more, for a broker may have forgotten an end, and only who settles asks the partitions' leaders.
 */
async function untilQuiet(tools: Tools, taken: JobRow, wasAlive: boolean, signal: AbortSignal): Promise<void> {
  const quietFromMs = tools.clock.elapsedMs() + (wasAlive ? 2 * CONTROL_POLL_MS : 0);
  if (wasAlive) tools.say('waiting for its functions to end');
  for (;;) {
    const found = await openTransactionsOf(tools, taken);
    const isQuiet = found === 'unknown' || found.open.length + found.ending.length === 0;
    if (isQuiet && tools.clock.elapsedMs() >= quietFromMs) break;
    if (signal.aborted) throw new LeftToNextError('one of its functions may still have a transaction open');
    if (found !== 'unknown' && found.open.length > 0) await finishIfHeld(tools, taken, signal);
    await tools.clock.sleep(POLL_MS, signal);
  }
  if (wasAlive) await finishIfHeld(tools, taken, signal);
}

async function finishIfHeld(tools: Tools, taken: JobRow, signal: AbortSignal): Promise<void> {
  const row = await tools.epochs.readJob(taken.job);
  if (row?.generation === taken.generation && row.incarnation === taken.incarnation) await finishHere(tools, row, signal);
}

/**
 * First the row forgets every epoch, in one write: from then on nothing refers to what is deleted, so that neither a
 * crash nor a start in between can miss it. The row itself goes last.
 */
async function deleteAll(tools: Tools, row: JobRow, { generation, incarnation }: JobRow): Promise<CommandResult> {
  const { removal, random, job } = tools;
  // Of the incarnation in which the generation was taken: a job that was made anew meanwhile may be at this number again.
  const held: HeldJob = { job, generation, incarnation };
  const fresh: HeldJob = { ...held, incarnation: random.id().slice(0, 8) };
  if (row.desired === 'stopped') await forgetThatItRan(tools, row);
  if ((await removal.forgetEpochs(held, fresh.incarnation)) === 'superseded') return leave(tools, held);
  const blobs = await deleteBlobs(tools, fresh.incarnation);
  if (blobs === 'superseded') return startedAgain(tools);
  const epochs = await removal.deleteEpochs(job, fresh.incarnation);
  if (epochs === 'superseded' || (await removal.deleteJob(fresh)) === 'superseded') return startedAgain(tools);
  const savepoints = (await tools.epochs.listSavepoints(job)).map(({ name }) => name);
  const kept =
    savepoints.length === 0
      ? 'A start of this name begins anew.'
      : `Kept: ${plural(savepoints.length, 'savepoint')} (${savepoints.join(', ')}) with ${plural(blobs.kept, 'blob')}; a start from one goes on there ("onceflow savepoint delete" deletes one). Any other start of this name begins anew.`;
  return ended(row, 'deleted', EXIT.ok, {
    text: `job ${job} is cancelled and deleted: ${plural(blobs.deleted, 'blob')}, ${plural(epochs, 'epoch')} and its row; no transaction is open. ${kept}`,
    deleted: { blobs: blobs.deleted, epochs },
    kept: { savepoints, blobs: blobs.kept },
  });
}

/** Somebody has let it run again, or has it: it keeps what it has. */
async function leave(tools: Tools, held: HeldJob): Promise<CommandResult> {
  await release(tools, held);
  return startedAgain(tools);
}

/**
 * Deletes the job's blobs of every incarnation but its own, until none is found: one may still have been on its way. Those that savepoints
 * name stay: a savepoint outlives its job. Only what was there before the job was seen in this incarnation, so that it had left theirs for
 * good: this process may have slept while somebody made the job anew; also from a savepoint that is gone since, so the row is read last.
 */
async function deleteBlobs(tools: Tools, ownIncarnation: string): Promise<Deleted | 'superseded'> {
  const store = await tools.blobStore();
  const blobs = createBlobs(store, tools.random);
  for (let deleted = 0; ; ) {
    const found: string[] = [];
    for await (const { name } of store.list(`${tools.job}/`)) if (!name.startsWith(`${tools.job}/${ownIncarnation}/`)) found.push(name);
    const pinned = await pinsOf({ epochs: tools.epochs, blobs }, tools.job);
    if ((await tools.epochs.readJob(tools.job))?.incarnation !== ownIncarnation) return 'superseded';
    const garbage = found.filter((name) => !pinned.has(name));
    if (garbage.length === 0) {
      for (const why of pinned.unreadable) tools.say(why);
      return { deleted, kept: found.length };
    }
    for (let at = 0; at < garbage.length; at += DELETE_TOGETHER) await store.delete(garbage.slice(at, at + DELETE_TOGETHER));
    deleted += garbage.length;
    tools.say(`deleted ${plural(deleted, 'blob')}`);
  }
}

interface Deleted {
  readonly deleted: number;
  /** For savepoints. */
  readonly kept: number;
}

async function startedAgain(tools: Tools): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  return ended(row, 'started-again', EXIT.startedAgain, { text: whyNotOurs(row, tools.clock.now()) });
}

function ended(
  row: JobRow,
  outcome: string,
  code: ExitCode,
  more: { readonly text: string; readonly deleted?: object; readonly kept?: object },
): CommandResult {
  const { text, ...rest } = more;
  return { code, json: { job: row.job, outcome, lastCompleted: row.lastCompleted?.epoch ?? null, ...rest }, text };
}
