import type { UnionNode } from '../../graph/job.ts';
import type { ChainKind } from '../kind.ts';

/** In each stage that it is made in: what comes goes on as it is. */
export const union: ChainKind<UnionNode> = {
  givesToUser: () => 'behind',
  open: (_, { next }) => next(),
};
