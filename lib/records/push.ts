import { isPromise } from '../format/serdes.ts';

/** Takes one value. Made once, when a runtime is made; no function is made for a value. */
export type Push = (value: unknown) => void;

/** A promise where a result should be: the user's function is async in all but its declaration. */
export function refusePromise(result: unknown): void {
  if (!isPromise(result)) return;
  if (result instanceof Promise) result.catch(() => {});
  throw new TypeError('the function returned a promise; user functions return their result at once');
}
