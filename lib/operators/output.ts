import { type Push, refusePromise } from '../records/push.ts';
import type { RecordScope } from '../state/record-scope.ts';

/** What user code emits to, while it works on a record. @param what it is called, for errors */
export function outputTo(uid: string, what: string, scope: RecordScope, next: Push): { emit(value: unknown): void } {
  return {
    emit(value: unknown) {
      if (!scope.isOpen) scope.refuse(uid, `${what}.emit`);
      if (typeof value === 'object') refusePromise(value);
      next(value);
    },
  };
}
