import { ExchangeWriter } from '../../format/exchange-writer.ts';
import type { Serde } from '../../format/serde.ts';
import { utf8 } from '../../format/serdes.ts';
import type { BroadcastNode } from '../../graph/job.ts';
import { UserCodeError } from '../../records/errors.ts';
import type { ChainKind } from '../kind.ts';
import { withOrigins } from '../origins.ts';

/** What is broadcast has no key. */
const NO_KEY = '';

/** Ends a chain in the one segment that every subtask of the stage behind it reads. */
export const broadcast: ChainKind<BroadcastNode> = {
  givesToUser: () => false,
  open(node, { label, edges, current }) {
    return edges.ofNode(node.id, ({ way }) => {
      const exchange = new ExchangeWriter({
        key: utf8 as Serde<unknown>,
        value: withOrigins(node.value, current, way),
        targets: 1,
        targetOf: () => 0,
        valuesAreKeys: false,
      });
      const writer = { begin: () => exchange.begin(), records: () => exchange.rows, finish: () => exchange.finish() };
      const push = (value: unknown) => {
        try {
          exchange.append(NO_KEY, value, current.timestamp);
        } catch (cause) {
          throw new UserCodeError(label, cause);
        }
      };
      return { writer, push };
    });
  },
};
