import type { KeyDifference } from '../lib/replay/compare-output.ts';
import type { KeyStateDifference, StateDifference } from '../lib/replay/compare-state.ts';
import type { EpochAgain, SinkAgain } from '../lib/replay/replay.ts';
import { moment, paint, plural } from './text.ts';

const MOST_CHARS = 160;

/** An epoch that was run again, for people. @param most so many keys of each sink are shown */
export function epochText(found: EpochAgain, most: number): string {
  const { epoch, outcome, failed, output, state } = found;
  if (failed !== undefined) return `epoch ${epoch}: ${paint('red', 'failed')}\n${failedText(failed)}`;
  const lines = [
    ...output.flatMap((sink) => sinkText(sink, most)),
    ...state.flatMap((owner) => stateText(owner, most)),
    ...found.watermarks.map(
      ({ stage, decidedMs, againMs }) => `  watermark of ${stage}: was ${timeText(decidedMs)}, is ${timeText(againMs)}`,
    ),
  ];
  const word = outcome === 'equal' ? paint('green', 'equal') : paint('yellow', 'different');
  return [`epoch ${epoch}: ${word}, ${plural(found.recordsIn, 'record')} read`, ...lines].join('\n');
}

function failedText({ stage, message, stack, record }: NonNullable<EpochAgain['failed']>): string {
  const at = record === undefined ? '' : `, at the record of topic ${record.topic}, partition ${record.partition}, offset ${record.offset}`;
  return `  stage ${stage}${at}: ${message}${stack === undefined ? '' : `\n${stack.replaceAll(/^/gm, '    ')}`}`;
}

function sinkText(found: SinkAgain, most: number): string[] {
  const { sink, again } = found;
  if (!found.compared) return [`  output of ${sink}: ${plural(again, 'row')} now, not compared: ${found.why}`];
  const { decided, byKey, moved, isReordered, fromLog } = found;
  const where = fromLog ? ', as the topic has them' : '';
  if (byKey.length === 0)
    return [
      `  output of ${sink}: the same ${plural(decided, 'row')}${where}${isReordered ? ', in another order' : ''}${moved === 0 ? '' : `, ${moved} without a key in another place`}`,
    ];
  const head = `  output of ${sink}: ${plural(decided, 'row')} were decided${where}, ${again} came now; ${plural(byKey.length, 'key')} ${byKey.length === 1 ? 'differs' : 'differ'}`;
  return [head, ...capped(byKey, most, keyText)];
}

function keyText({ place, key, onlyDecided, onlyAgain }: KeyDifference): string {
  return `    ${place === '' ? '' : `${place} `}${key === null ? 'without a key' : shown(key)}: was ${listOf(onlyDecided)}, is ${listOf(onlyAgain)}`;
}

function listOf(values: readonly unknown[]): string {
  return values.length === 0 ? 'nothing' : shortly(values.map((value) => JSON.stringify(value)).join(', '));
}

/** What differs of an operator's state. */
export function stateText({ operator, isBroadcast, keys, otherKeys, differing, byKey }: StateDifference, most: number): string[] {
  const what = isBroadcast ? `  broadcast state of ${operator}` : `  state of ${operator}`;
  if (differing === 0) return [`${what}: the same, of ${plural(keys, 'key')}`];
  const head = `${what}: ${plural(keys, 'key')} then, ${otherKeys} now; ${differing} ${differing === 1 ? 'differs' : 'differ'}`;
  const left = differing - Math.min(byKey.length, most);
  return [head, ...byKey.slice(0, most).flatMap(keyStateText), ...(left > 0 ? [moreText(left)] : [])];
}

function keyStateText({ key, states }: KeyStateDifference): string[] {
  return states.map((each) => {
    const was = 'one' in each ? shown(each.one) : 'nothing';
    const is = 'other' in each ? shown(each.other) : 'nothing';
    return `    ${key === null ? '' : `${shown(key)} `}${each.state}: was ${was}, is ${is}`;
  });
}

function capped<T>(all: readonly T[], most: number, textOf: (each: T) => string): string[] {
  const left = all.length - most;
  return [...all.slice(0, most).map(textOf), ...(left > 0 ? [moreText(left)] : [])];
}

function moreText(left: number): string {
  return `    and ${plural(left, 'key')} more (--keys shows more)`;
}

function shown(value: unknown): string {
  return shortly(JSON.stringify(value));
}

function shortly(text: string): string {
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS)}… (${text.length} characters)`;
}

function timeText(ms: number | null): string {
  return ms === null ? 'none' : moment(ms);
}
