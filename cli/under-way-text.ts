import { duration } from '../lib/inspect/duration.ts';
import type { AttemptFailure, UnderWay } from '../lib/ports/epoch-store.ts';
import { plural } from './text.ts';

/** What of attempts that take long, or have failed, is told in a line each. */
export function underWayFields({ atMs, attempts, failed }: UnderWay, nowMs: number): [string, string][] {
  const fields: [string, string][] = [];
  const newest = failed.at(-1);
  if (attempts.length > 0) {
    const asOf = `as the coordinator said ${duration(nowMs - atMs)} ago`;
    fields.push(['under way', [...attempts.map((attempt) => attemptText(attempt, atMs)), asOf].join('\n')]);
  }
  if (newest !== undefined) fields.push(['failed', failureText(newest, nowMs)]);
  return fields;
}

function attemptText({ epoch, attempt, plannedAtMs, phase, stages }: UnderWay['attempts'][number], atMs: number): string {
  const which = attempt > 1 ? `epoch ${epoch}, attempt ${attempt}` : `epoch ${epoch}`;
  const what = phase === 'working' ? Object.entries(stages).map(stageText) : [phase];
  return `${which}, planned ${duration(atMs - plannedAtMs)} before: ${what.length === 0 ? 'no stage has begun' : what.join(', ')}`;

  function stageText([stage, { afterMs, ms }]: [string, { readonly afterMs: number; readonly ms?: number | undefined }]): string {
    return ms === undefined ? `${stage} at work for ${duration(atMs - plannedAtMs - afterMs)}` : `${stage} took ${duration(ms)}`;
  }
}

function failureText({ atMs, epoch, stage, message, input = [] }: AttemptFailure, nowMs: number): string {
  const where = input.map(
    ({ topic, partition, from, bound }) =>
      `${topic}-${partition} offset ${from}${bound - from > 1 ? ` and the ${plural(bound - from - 1, 'offset')} behind it` : ''}`,
  );
  return [`epoch ${epoch}, ${stage}, ${duration(nowMs - atMs)} ago${where.map((each) => `, in ${each}`).join('')}:`, message].join('\n');
}
