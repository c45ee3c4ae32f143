import type { FlatMapNode } from '../../graph/job.ts';
import { UserCodeError } from '../../records/errors.ts';
import { refusePromise } from '../../records/push.ts';
import type { ChainKind } from '../kind.ts';

export const flatMap: ChainKind<FlatMapNode> = {
  givesToUser: () => true,
  open({ fn }, { label, next: behind }) {
    const next = behind();
    return (value) => {
      let results: unknown[];
      try {
        const result = fn(value);
        results = Array.isArray(result) ? result : collect(result);
      } catch (cause) {
        throw new UserCodeError(label, cause);
      }
      for (let index = 0; index < results.length; index++) {
        const each = results[index];
        if (typeof each === 'object') refusePromiseOf(label, each);
        next(each);
      }
    };
  },
};

/** An iterable's values, taken before any is passed on: what the iterable throws is then the user's, and nothing else is. */
function collect(result: unknown): unknown[] {
  refusePromise(result);
  return [...(result as Iterable<unknown>)];
}

function refusePromiseOf(label: string, result: unknown): void {
  try {
    refusePromise(result);
  } catch (cause) {
    throw new UserCodeError(label, cause);
  }
}
