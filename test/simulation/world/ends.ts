import type { HeldAs } from '../../../lib/epoch/lease/held.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { readCommitted } from '../checker/reader.ts';
import type { SimProcess } from '../kernel/process.ts';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import type { RunningCoordinator } from './coordinators.ts';

/** Somebody has to look, and starts the job again when she has. Not where a stop is what a story is about. */
export function isRightStop(world: World, who: string, message: string, beganMs: number): boolean {
  if (world.options.mayFail !== undefined) return false;
  // Who has just started a job is told at once that there is no room.
  const isDisk = (world.options.diskFails ?? 0) > 0 && /: the disk is (full|broken)$/.test(message);
  if (!isDisk && !world.person.understands(message, beganMs, world.table.row(JOB))) return false;
  world.trace(who, () => 'somebody sees why, and starts the job again');
  world.brokerFaults.count('job that stopped for a person to decide');
  world.leftAloneUntilMs = world.scheduler.nowMs + world.dice.spread(100, 5_000);
  return true;
}

/** The job stopped at a record that its author's code fails at, and said at which. The topic may have been made anew since it read that. */
export function isPoisonStop({ options, broker, code }: World, message: string): boolean {
  if (options.userCode === undefined) return false;
  const [, topic = '', partition = '', offset = ''] =
    /topic (\S+), partition (\d+), offset (\d+): (?:this record alone failed|source \S+ cannot)/.exec(message) ?? [];
  if (partition === '') return false;
  const attempts = options.settings.poisonAttempts ?? Number.POSITIVE_INFINITY;
  const logs = broker.catalog.everyLog().filter((log) => log.topic === topic && log.partition === Number(partition));
  return logs
    .flatMap((log) => readCommitted(log, Number(offset), Number(offset) + 1))
    .some((record) => code.isPoison(record.value, attempts));
}

/** Transactions and uploads that were open before a coordinator settled them must not be open after it. */
export function checkSettled(world: World, { name }: SimProcess, after: string, beganMs: number): void {
  const incarnation = world.table.row(JOB)?.incarnation;
  if (incarnation !== undefined) checkClosed(world, incarnation, beganMs, `${name} in ${after}`);
}

/** What a process that slept opens later, under an id of a job that was deleted meanwhile, only its timeout ends. */
export function checkClosed({ observed, broker, targets, checker }: World, incarnation: string, beganMs: number, who: string): void {
  if (observed.some((event) => event.event === 'warning' && event.message.includes('could not be settled'))) return;
  for (const { id, state, startedMs } of broker.transactions.all()) {
    if (state === 'ongoing' && id.startsWith(`${JOB}-${incarnation}-`) && startedMs < beganMs)
      checker.fail('I6', `transaction ${id} is open since ${startedMs} ms, and ${who} left it open: readers wait for its timeout`);
  }
  for (const { key, begunMs } of targets.uploads.open)
    if (key.includes(`${JOB}-${incarnation}-`) && begunMs < beganMs)
      checker.fail('I6', `the upload of ${key} is open since ${begunMs} ms, and ${who} left it open`);
}

/** The generations of a job that was made anew begin again. */
export function isOwn(taken: HeldAs, row: JobRow): boolean {
  return row.generation === taken.generation && row.incarnation === taken.incarnation;
}

/** Who starts a stopped job has it run, unless somebody asked for a stop since that start was first tried. */
export function checkStopStands(
  { table, checker }: World,
  { process, tenure, stops = 0, wasStopped }: Pick<RunningCoordinator, 'process' | 'tenure' | 'stops' | 'wasStopped'>,
): void {
  const row = table.row(JOB);
  if (row === undefined || !isOwn(tenure, row) || !wasStopped || row.desired === 'stopped') return;
  if ((row.stops ?? 0) > stops)
    checker.fail(
      'I14',
      `${process.name} has the job run, which was asked to stop ${row.stops} times, and ${stops} times when that start was first tried`,
    );
}
