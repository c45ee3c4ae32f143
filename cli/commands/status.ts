import { ofName } from '../../lib/config/by-name.ts';
import { duration } from '../../lib/inspect/duration.ts';
import type { PartitionLag } from '../../lib/inspect/lag.ts';
import type { JobStanding } from '../../lib/inspect/standing.ts';
import { type JobLag, type JobStatus, readStatus } from '../../lib/inspect/status.ts';
import { partitionName } from '../../lib/inspect/transactions.ts';
import type { NoProgress } from '../../lib/ports/epoch-store.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { fieldsOf, instant, paint, plural, tableOf } from '../text.ts';
import { timeFields, timeTables } from '../time-text.ts';
import { underWayFields } from '../under-way-text.ts';

/** So that a job of many partitions fits on a screen too: those with the largest lag. */
const SHOWN_PARTITIONS = 12;

export default command({
  name: 'status',
  usage: 'is the job well? who runs it, which epoch is committed, what takes long or fails, how far behind is it',
  options: {},
  examples: [
    { call: 'status --job word-count', does: 'exit code 0 when it is well' },
    { call: 'status --job word-count --json', does: 'the same for a script' },
  ],
  async run(tools) {
    const status = await readStatus(tools);
    return status === undefined ? noSuchJob(tools) : statusResult(status, tools.clock.now());
  },
});

export function statusResult(status: JobStatus, nowMs: number): CommandResult {
  return { code: exitCodeOf(status), json: status, text: textOf(status, nowMs) };
}

function exitCodeOf({ standing, noProgress }: JobStatus): ExitCode {
  if (standing === 'failed') return EXIT.jobFailed;
  if (standing === 'dead') return EXIT.dead;
  return standing === 'running' && noProgress !== null ? EXIT.noProgress : EXIT.ok;
}

function textOf(status: JobStatus, nowMs: number): string {
  const { job, standing, failure, noProgress, underWay, lag, time } = status;
  const fields: [string, string][] = [['holder', holderText(status, nowMs)]];
  if (failure !== null) fields.push(['failure', failure]);
  if (noProgress !== null) fields.push(['progress', noProgressText(noProgress, nowMs)]);
  if (underWay !== null) fields.push(...underWayFields(underWay, nowMs));
  fields.push(['epochs', epochsText(status, nowMs)], ['incarnation', status.incarnation]);
  fields.push(['lag', lag === null ? `unknown: ${status.lagUnknownBecause}` : lagText(lag)]);
  fields.push(...scaleFields(status, nowMs));
  if (time !== null) fields.push(...timeFields(time, nowMs));
  const blocks = [`job ${job}: ${STYLED[standing]}${adviceOf(status)}`, fieldsOf(fields)];
  if (lag !== null && lag.partitions.length > 0) blocks.push('', partitionTable(lag.partitions));
  if (time !== null) blocks.push(...timeTables(time, nowMs).flatMap((table) => ['', table]));
  return blocks.join('\n');
}

/** Of stages that may have another number than they have, or have had one. */
function scaleFields({ scale, rescale }: JobStatus, nowMs: number): [string, string][] {
  return Object.entries(scale ?? {}).flatMap(([stage, { subtasks, least, most, since }]): [string, string][] => {
    const asked = ofName(rescale, stage);
    if (least === most && asked === undefined && since === undefined) return [];
    const wish = asked === undefined ? '' : `; ${asked} by hand (onceflow rescale ${stage}=auto takes it back)`;
    const why = since === undefined ? '' : `; since epoch ${since.epoch}, ${duration(nowMs - since.atMs)} ago: ${since.why}`;
    return [['subtasks', `${stage} ${subtasks} of ${least} to ${most}${wish}${why}`]];
  });
}

const STYLED: Readonly<Record<JobStanding, string>> = {
  running: paint('green', 'running'),
  stopping: paint('yellow', 'stopping'),
  stopped: paint('yellow', 'stopped'),
  failed: paint(['bold', 'red'], 'failed'),
  dead: paint(['bold', 'red'], 'nobody runs it'),
};

function adviceOf({ desired, standing }: JobStatus): string {
  switch (standing) {
    case 'dead':
      return ', though it is to run: a scheduled revival or a start goes on with it';
    case 'failed':
      return `${desired === 'stopped' ? ', and was asked to stop' : ''}: mend the cause, then start it, or "onceflow resume" for the next scheduled revival`;
    case 'stopping':
      return ': it was asked to, and finishes what it has begun';
    case 'running':
    case 'stopped':
      return '';
  }
}

function holderText({ holder, generation, leaseExpiresAtMs, standing }: JobStatus, nowMs: number): string {
  const who = `generation ${generation}, ${holder}`;
  if (standing === 'running' || standing === 'stopping') return `${who}; lease: ${duration(leaseExpiresAtMs - nowMs)} left`;
  if (leaseExpiresAtMs === 0) return `none; the last was ${who}, which gave up its lease`;
  return `none; the last was ${who}, whose lease ran out ${duration(nowMs - leaseExpiresAtMs)} ago (${instant(leaseExpiresAtMs)})`;
}

function epochsText({ lastCompleted, lastCommitted, lastDecidedAtMs }: JobStatus, nowMs: number): string {
  if (lastCompleted === null || lastCommitted === null) return 'none yet';
  const age = lastDecidedAtMs === null ? '' : ` ${duration(nowMs - lastDecidedAtMs)} ago`;
  const committed = lastCommitted >= lastCompleted ? 'and committed' : `not recorded as committed yet; ${lastCommitted} is`;
  return `${lastCompleted} completed${age}, ${committed}`;
}

function noProgressText({ sinceMs, failuresInARow, lastError }: NoProgress, nowMs: number): string {
  const none = `none for ${duration(nowMs - sinceMs)} (since ${instant(sinceMs)}), though there is something to do`;
  const failures = failuresInARow === 0 ? 'no attempt has failed' : `${plural(failuresInARow, 'failed attempt')} in a row`;
  return `${none}; ${failures}${lastError === undefined ? '' : `, the last error:\n${lastError}`}`;
}

function lagText({ records, heldUp, partitions }: JobLag): string {
  const behind = partitions.filter(({ lag }) => lag > 0).length;
  const held = partitions.filter((partition) => partition.heldUp > 0);
  const lag = behind === 0 ? 'none' : `${plural(records, 'record')} (offsets) in ${behind} of ${plural(partitions.length, 'partition')}`;
  if (held.length === 0) return lag;
  return `${lag}; ${plural(heldUp, 'offset')} more in ${held.map(partitionName).join(', ')} held up by a transaction that is open there`;
}

function partitionTable(partitions: readonly PartitionLag[]): string {
  const most = [...partitions].sort((left, right) => right.lag - left.lag).slice(0, SHOWN_PARTITIONS);
  const shown = partitions.filter((partition) => most.includes(partition));
  const columns = [
    { title: '  source' },
    { title: 'partition' },
    { title: 'at', align: 'right' },
    { title: 'end', align: 'right' },
    { title: 'lag', align: 'right' },
  ] as const;
  const rows = shown.map(({ source, topic, partition, at, end, lag }) => [
    `  ${source}`,
    `${topic}-${partition}`,
    `${at}`,
    `${end}`,
    `${lag}`,
  ]);
  const left = partitions.length - shown.length;
  return tableOf(columns, rows) + (left > 0 ? `\n  and ${plural(left, 'partition')} more with less lag` : '');
}
