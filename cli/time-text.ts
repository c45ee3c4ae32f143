import { duration } from '../lib/inspect/duration.ts';
import type { JobTime, OperatorDue, PartitionWatermark } from '../lib/inspect/time.ts';
import { partitionName } from '../lib/inspect/transactions.ts';
import { moment, plural, tableOf } from './text.ts';

/** So that a source of many partitions fits on a screen too: those that have come least far. */
const SHOWN_PARTITIONS = 12;

/** What of a job's time is told in a line each. */
export function timeFields({ processingMs, late }: JobTime, nowMs: number): [string, string][] {
  const fields: [string, string][] = [['time', `${moment(processingMs)} in the last epoch, ${duration(nowMs - processingMs)} ago`]];
  if (late.length > 0) fields.push(['late', late.map(lateText).join('\n')]);
  return fields;
}

/** What of it is a table each. */
export function timeTables({ stages, sources, due, processingMs }: JobTime, nowMs: number): string[] {
  const tables: string[] = [];
  if (stages.length > 0)
    tables.push(
      tableOf(
        [{ title: '  stage' }, { title: 'watermark' }],
        stages.map(({ stage, watermarkMs }) => [`  ${stage}`, moment(watermarkMs)]),
      ),
    );
  const partitions = sources.flatMap(({ source, partitions: of }) => of.map((each) => ({ source, ...each })));
  if (partitions.length > 0) tables.push(partitionTable(partitions, processingMs));
  if (due.length > 0)
    tables.push(
      tableOf(
        [{ title: '  operator' }, { title: 'waits for event time' }, { title: 'for processing time' }],
        due.map((each) => dueRow(each, nowMs)),
      ),
    );
  return tables;
}

function lateText({ operator, dropped, passedOn }: JobTime['late'][number]): string {
  const parts = [];
  if (dropped > 0) parts.push(`${plural(dropped, 'value')} dropped`);
  if (passedOn > 0) parts.push(`${plural(passedOn, 'value')} given to its late stream`);
  return `${operator}: ${parts.join(', ')}`;
}

function partitionTable(partitions: readonly ({ readonly source: string } & PartitionWatermark)[], processingMs: number): string {
  const least = [...partitions].sort((one, other) => rankOf(one) - rankOf(other)).slice(0, SHOWN_PARTITIONS);
  const shown = partitions.filter((partition) => least.includes(partition));
  const rows = shown.map((each) => [
    `  ${each.source}`,
    partitionName(each),
    each.watermarkMs === null ? 'none yet' : moment(each.watermarkMs),
    standingText(each, processingMs),
  ]);
  const left = partitions.length - shown.length;
  const table = tableOf([{ title: '  source' }, { title: 'partition' }, { title: 'watermark' }, { title: '' }], rows);
  return table + (left > 0 ? `\n  and ${plural(left, 'partition')} more that are idle or have come further` : '');
}

/** The idle ones last, the others by how far they have come. */
function rankOf({ standing, watermarkMs }: PartitionWatermark): number {
  return standing === 'idle' ? Number.MAX_VALUE : (watermarkMs ?? -Number.MAX_VALUE);
}

function standingText({ standing, activeMs }: PartitionWatermark, processingMs: number): string {
  if (standing === 'idle') return `idle for ${duration(processingMs - activeMs)}`;
  return standing === 'holds-back' ? 'holds the others back' : '';
}

function dueRow({ operator, eventMs, processingMs }: OperatorDue, nowMs: number): string[] {
  const whenIn = (ms: number) => (ms > nowMs ? `in ${duration(ms - nowMs)}` : 'due');
  return [
    `  ${operator}`,
    eventMs === null ? '-' : moment(eventMs),
    processingMs === null ? '-' : `${moment(processingMs)}, ${whenIn(processingMs)}`,
  ];
}
