import type { Stamped, StampNode } from '../../graph/job.ts';
import type { ChainKind } from '../kind.ts';

/** Puts each value behind its time and the key of its stream. */
export const stamp: ChainKind<StampNode> = {
  givesToUser: () => false,
  open(_, { current, next }) {
    const behind = next();
    return (value) => {
      const stamped: Stamped = { timestamp: current.timestamp, key: current.key, value };
      behind(stamped);
    };
  },
};
