import type { MapAsyncNode } from '../../graph/job.ts';
import type { ChainKind } from '../kind.ts';

/** Ends what of the chain is done at once: values wait, with what they are of, and those behind it come when all that wait are answered. */
export const mapAsync: ChainKind<MapAsyncNode> = {
  givesToUser: () => true,
  open: (node, { label, calls, next }) => calls.ofNode(node, label, next),
};
