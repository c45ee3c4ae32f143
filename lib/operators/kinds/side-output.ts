import type { SideOutputNode } from '../../graph/job.ts';
import type { ChainKind } from '../kind.ts';

/** Begins the chain of a side output: what its operator gives it goes on as it is. */
export const sideOutput: ChainKind<SideOutputNode> = {
  givesToUser: () => 'behind',
  open: (_, { next }) => next(),
};
