import type { SinkNode } from '../../graph/job.ts';
import { openSinkEncoder, sinkGivesToUser } from '../../sinks/kinds.ts';
import type { ChainKind } from '../kind.ts';

/** Ends a chain in the staged output of a sink. */
export const sink: ChainKind<SinkNode> = {
  givesToUser: ({ to }) => sinkGivesToUser(to),
  open({ id, uid, to }, { edges, current }) {
    return edges.ofNode(id, () => {
      const encoder = openSinkEncoder(to, { sink: uid, facts: () => edges.context.facts(uid), current });
      const writer = { begin: () => encoder.begin(), records: () => encoder.records, finish: () => [encoder.finish()] };
      return { writer, push: encoder.append };
    });
  },
};
