import { byName } from '../config/by-name.ts';
import type { Push } from '../records/push.ts';
import type { RecordScope } from '../state/record-scope.ts';
import { outputTo } from './output.ts';

interface Place {
  readonly scope: RecordScope;
  side(tag: string): Push;
}

/** By tag: what an operator's functions emit to. */
export function openSideOutputs(
  uid: string,
  tags: readonly string[],
  { scope, side }: Place,
): Record<string, { emit(value: unknown): void }> {
  return byName(tags.map((tag) => [tag, outputTo(uid, `sideOutputs.${tag}`, scope, side(tag))]));
}
