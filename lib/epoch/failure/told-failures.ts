import type { AttemptFailure } from '../../ports/epoch-store.ts';
import type { RecordFault } from '../../protocol/answers.ts';
import type { InputPart } from './isolate.ts';

/** So many are told of an epoch, and so much of each: they are in rows, which hold what the job needs. */
const MOST = 3;
const MOST_PARTS = 4;
const MESSAGE_CHARS = 500;
const STACK_CHARS = 1_500;

interface Failed extends Pick<AttemptFailure, 'epoch' | 'stage' | 'kind' | 'message'> {
  readonly fault: RecordFault | undefined;
  readonly input: readonly InputPart[];
}

/** With what people are told of an attempt that failed. */
export function withFailure(before: readonly AttemptFailure[], failed: Failed, isOfRecord: boolean, atMs: number): AttemptFailure[] {
  const { epoch, stage, kind, message, fault, input } = failed;
  const parts = input.slice(0, MOST_PARTS).map(({ topic, partition, from, bound }) => ({ topic, partition, from, bound }));
  const told: AttemptFailure = {
    ...{ atMs, epoch, stage, kind, message: cut(message, MESSAGE_CHARS) },
    ...(fault?.stack !== undefined && { stack: cut(fault.stack, STACK_CHARS) }),
    ...(isOfRecord && parts.length > 0 && { input: parts }),
  };
  return [...before, told].slice(-MOST);
}

/** Users make such texts: what is half a character would not be taken by every table. */
function cut(text: string, chars: number): string {
  return (text.length > chars ? `${text.slice(0, chars)}…` : text).toWellFormed();
}
