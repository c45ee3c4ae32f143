import { type Push, refusePromise } from '../records/push.ts';
import type { RecordScope } from '../state/record-scope.ts';

/** Says whether a record of an operator is worked on: it has its key. */
export interface OutputScope {
  readonly scope: RecordScope;
  readonly keys: { readonly current: number };
}

/** What user code emits to, while it works on a record. @param what it is called, for errors */
export function outputTo(uid: string, what: string, { scope, keys }: OutputScope, next: Push): { emit(value: unknown): void } {
  return {
    emit(value: unknown) {
      if (keys.current < 0) scope.refuse(uid, `${what}.emit`);
      if (typeof value === 'object') refusePromise(value);
      next(value);
    },
  };
}
