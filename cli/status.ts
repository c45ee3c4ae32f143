import type { EpochRow, JobRow, NoProgress } from '../lib/ports/epoch-store.ts';
import { type CommandResult, EXIT } from './exit-codes.ts';
import { type Lag, lagOf } from './lag.ts';
import { exitCodeOf, noProgressOf, type Standing, standingOf } from './standing.ts';
import { duration, fieldsOf, instant, paint, plural, tableOf } from './text.ts';
import type { Tools } from './tools.ts';

/** So that a job of many partitions fits on a screen too: those with the largest lag. */
const SHOWN_PARTITIONS = 12;

export async function status(tools: Tools): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const { lastCompleted } = row;
  const last = lastCompleted === undefined ? undefined : await tools.epochs.readEpoch(row.job, row.incarnation, lastCompleted.epoch);
  return statusResult(row, last, await lagOf(tools, last), tools.clock.now());
}

export function noSuchJob({ job, config }: Pick<Tools, 'job' | 'config'>): CommandResult {
  return {
    code: EXIT.noSuchJob,
    json: { job, standing: 'none' },
    text: `there is no job ${job} in table ${config.table}: it was never started, or it was deleted; or the name (--job) or the table (ONCEFLOW_TABLE) is another`,
  };
}

/** The status from what was read. */
export function statusResult(row: JobRow, last: EpochRow | undefined, lag: Lag, nowMs: number): CommandResult {
  const standing = standingOf(row, nowMs);
  const code = standing === 'running' && noProgressOf(row, nowMs) !== undefined ? EXIT.noProgress : exitCodeOf(standing);
  return { code, json: jsonOf(row, standing, last, lag, nowMs), text: textOf(row, standing, last, lag, nowMs) };
}

function jsonOf(row: JobRow, standing: Standing, last: EpochRow | undefined, lag: Lag, nowMs: number): object {
  return {
    job: row.job,
    standing,
    desired: row.desired,
    failure: row.failure ?? null,
    noProgress: noProgressOf(row, nowMs) ?? null,
    incarnation: row.incarnation,
    generation: row.generation,
    holder: row.holder,
    leaseExpiresAtMs: row.leaseExpiresAtMs,
    leaseLeftMs: Math.max(0, row.leaseExpiresAtMs - nowMs),
    lastCompleted: row.lastCompleted?.epoch ?? null,
    lastCommitted: row.lastCompleted === undefined ? null : row.lastCommitted,
    lastDecidedAtMs: last?.summary.decidedAtMs ?? null,
    lag: lag.known
      ? { records: totalOf(lag.partitions), heldUp: sumOf(lag.partitions, ({ heldUp }) => heldUp), partitions: lag.partitions }
      : null,
    lagUnknownBecause: lag.known ? null : lag.why,
  };
}

function textOf(row: JobRow, standing: Standing, last: EpochRow | undefined, lag: Lag, nowMs: number): string {
  const fields: [string, string][] = [['holder', holderText(row, standing, nowMs)]];
  if (row.failure !== undefined) fields.push(['failure', row.failure]);
  const noProgress = noProgressOf(row, nowMs);
  if (noProgress !== undefined) fields.push(['progress', noProgressText(noProgress, nowMs)]);
  fields.push(['epochs', epochsText(row, last, nowMs)], ['incarnation', row.incarnation]);
  fields.push(['lag', lag.known ? lagText(lag.partitions) : `unknown: ${lag.why}`]);
  const blocks = [`job ${row.job}: ${STYLED[standing]}${adviceOf(row, standing)}`, fieldsOf(fields)];
  if (lag.known && lag.partitions.length > 0) blocks.push('', partitionTable(lag.partitions));
  return blocks.join('\n');
}

const STYLED: Readonly<Record<Standing, string>> = {
  running: paint('green', 'running'),
  stopping: paint('yellow', 'stopping'),
  stopped: paint('yellow', 'stopped'),
  failed: paint(['bold', 'red'], 'failed'),
  dead: paint(['bold', 'red'], 'nobody runs it'),
};

function adviceOf({ desired }: JobRow, standing: Standing): string {
  switch (standing) {
    case 'dead':
      return ', though it is to run: a scheduled revival or a start goes on with it';
    case 'failed':
      return `${desired === 'stopped' ? ', and was asked to stop' : ''}: mend the cause, then start it, or "onceflow resume" for the next scheduled revival`;
    case 'stopping':
      return ': it was asked to, and finishes what it has begun';
    default:
      return '';
  }
}

function holderText({ holder, generation, leaseExpiresAtMs }: JobRow, standing: Standing, nowMs: number): string {
  const who = `generation ${generation}, ${holder}`;
  if (standing === 'running' || standing === 'stopping') return `${who}; lease: ${duration(leaseExpiresAtMs - nowMs)} left`;
  if (leaseExpiresAtMs === 0) return `none; the last was ${who}, which gave up its lease`;
  return `none; the last was ${who}, whose lease ran out ${duration(nowMs - leaseExpiresAtMs)} ago (${instant(leaseExpiresAtMs)})`;
}

function epochsText({ lastCompleted, lastCommitted }: JobRow, last: EpochRow | undefined, nowMs: number): string {
  if (lastCompleted === undefined) return 'none yet';
  const age = last === undefined ? '' : ` ${duration(nowMs - last.summary.decidedAtMs)} ago`;
  const committed = lastCommitted >= lastCompleted.epoch ? 'and committed' : `not recorded as committed yet; ${lastCommitted} is`;
  return `${lastCompleted.epoch} completed${age}, ${committed}`;
}

function noProgressText({ sinceMs, failuresInARow, lastError }: NoProgress, nowMs: number): string {
  const none = `none for ${duration(nowMs - sinceMs)} (since ${instant(sinceMs)}), though there is something to do`;
  const failures = failuresInARow === 0 ? 'no attempt has failed' : `${plural(failuresInARow, 'failed attempt')} in a row`;
  return `${none}; ${failures}${lastError === undefined ? '' : `, the last error:\n${lastError}`}`;
}

type Partitions = Extract<Lag, { known: true }>['partitions'];

function lagText(partitions: Partitions): string {
  const behind = partitions.filter(({ lag }) => lag > 0).length;
  const held = partitions.filter(({ heldUp }) => heldUp > 0);
  const lag =
    behind === 0 ? 'none' : `${plural(totalOf(partitions), 'record')} (offsets) in ${behind} of ${plural(partitions.length, 'partition')}`;
  if (held.length === 0) return lag;
  const offsets = plural(
    sumOf(held, ({ heldUp }) => heldUp),
    'offset',
  );
  return `${lag}; ${offsets} more in ${held.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')} held up by a transaction that is open there`;
}

function totalOf(partitions: Partitions): number {
  return sumOf(partitions, ({ lag }) => lag);
}

function sumOf(partitions: Partitions, of: (one: Partitions[number]) => number): number {
  return partitions.reduce((sum, one) => sum + of(one), 0);
}

function partitionTable(partitions: Partitions): string {
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
