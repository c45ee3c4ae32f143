import type { DeadLetter, LetterPlace } from '../lib/inspect/dead-letters.ts';
import { fieldsOf, instant, plural, tableOf } from './text.ts';

const MESSAGE_CHARS = 60;

/** What a list tells of a letter. */
export interface LetterSummary {
  readonly at: string;
  readonly epoch: number;
  readonly from: DeadLetter['from'];
  readonly operator: string;
  readonly attempts: number;
  readonly error: string;
}

export function summaryOf({ at, epoch, from, operator, attempts, error }: DeadLetter): LetterSummary {
  return { at: shownPlace(at), epoch, from, operator, attempts, error: `${error.class}: ${error.message}` };
}

export function shownPlace({ partition, offset }: LetterPlace): string {
  return `${partition}:${offset}`;
}

export function lettersText(
  { job, topic, found }: { readonly job: string; readonly topic: string; readonly found: number },
  letters: readonly LetterSummary[],
): string {
  if (found === 0) return `topic ${topic} has no letter of job ${job}`;
  const rows = letters.map(({ at, epoch, from, operator, attempts, error }) => [
    at,
    `${epoch}`,
    `${from.topic}-${from.partition} @ ${from.offset}`,
    operator,
    `${attempts}`,
    shortened(error),
  ]);
  const left = found - letters.length;
  return `${tableOf(COLUMNS, rows)}${left > 0 ? `\nand ${plural(left, 'older letter')} (--limit)` : ''}`;
}

const COLUMNS = [
  { title: 'letter' },
  { title: 'epoch', align: 'right' },
  { title: 'record' },
  { title: 'failed in' },
  { title: 'attempts', align: 'right' },
  { title: 'error' },
] as const;

function shortened(message: string): string {
  const [line = ''] = message.split('\n');
  return line.length > MESSAGE_CHARS ? `${line.slice(0, MESSAGE_CHARS - 1)}…` : line;
}

export function letterText(topic: string, letter: DeadLetter): string {
  const { at, job, epoch, from, timestampMs, stage, operator, attempts, error, key, value, headers } = letter;
  const fields: [string, string][] = [
    ['job', `${job}, left out by epoch ${epoch}`],
    ['record', `topic ${from.topic}, partition ${from.partition}, offset ${from.offset}; timestamp ${timeText(timestampMs)}`],
    ['failed in', `${operator} (stage ${stage}), ${plural(attempts, 'attempt')}`],
    ['error', error.stack === '' ? `${error.class}: ${error.message}` : error.stack],
    ['key', bytesText(key)],
    ['value', bytesText(value)],
    ...headers.map((header): [string, string] => ['header', `${bytesText(Buffer.from(header.key))}: ${bytesText(header.value)}`]),
  ];
  return `letter ${shownPlace(at)} of topic ${topic}\n${fieldsOf(fields)}`;
}

/** For scripts: bytes that are no text as base64. */
export function shownLetter({ at, key, value, headers, ...letter }: DeadLetter): object {
  return {
    at: shownPlace(at),
    ...letter,
    key: shownBytes(key),
    value: shownBytes(value),
    headers: headers.map((header) => ({ key: shownBytes(Buffer.from(header.key)), value: shownBytes(header.value) })),
  };
}

function timeText(timestampMs: number): string {
  return Math.abs(timestampMs) <= 8.64e15 ? `${timestampMs} (${instant(timestampMs)})` : `${timestampMs}`;
}

function bytesText(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return 'none';
  const text = textOf(bytes);
  return text === undefined ? `${plural(bytes.length, 'byte')}, base64 ${Buffer.from(bytes).toString('base64')}` : JSON.stringify(text);
}

function shownBytes(bytes: Uint8Array | undefined): object | null {
  if (bytes === undefined) return null;
  const text = textOf(bytes);
  return text === undefined ? { base64: Buffer.from(bytes).toString('base64') } : { text };
}

/** Undefined: it is no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
