import type { SinkNode } from '../../graph/job.ts';
import { SinkEncoder } from '../../sinks/kafka/sink-encoder.ts';
import type { ChainKind } from '../kind.ts';

/** Ends a chain in the staged output of a sink. */
export const sink: ChainKind<SinkNode> = {
  givesToUser: ({ toRecord }) => toRecord !== undefined,
  open(node, { edges, current }) {
    return edges.ofNode(node.id, () => {
      const encoder = new SinkEncoder(node, edges.context, current);
      const writer = { begin: () => encoder.begin(), records: () => encoder.records, finish: () => [encoder.finish()] };
      return { writer, push: encoder.append };
    });
  },
};
