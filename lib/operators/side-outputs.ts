import { handlesByName } from '../config/by-name.ts';
import type { Push } from '../records/push.ts';
import { type OutputScope, outputTo } from './output.ts';

interface Place extends OutputScope {
  /** What takes what is given aside under a tag. */
  side(tag: string): Push;
}

/** By tag: what an operator's functions emit to. */
export function openSideOutputs(
  uid: string,
  tags: readonly string[],
  place: Place,
): Readonly<Record<string, { emit(value: unknown): void }>> {
  return handlesByName(tags.map((tag) => [tag, outputTo(uid, `sideOutputs.${tag}`, place, place.side(tag))]));
}
