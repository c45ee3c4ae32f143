import type { FilterNode } from '../../graph/job.ts';
import { UserCodeError } from '../../records/errors.ts';
import { refusePromise } from '../../records/push.ts';
import type { ChainKind } from '../kind.ts';

export const filter: ChainKind<FilterNode> = {
  givesToUser: () => true,
  open({ fn }, { label, next: behind }) {
    const next = behind();
    return (value) => {
      let result: unknown;
      try {
        result = fn(value);
        if (typeof result === 'object') refusePromise(result);
      } catch (cause) {
        throw new UserCodeError(label, cause);
      }
      if (result) next(value);
    };
  },
};
