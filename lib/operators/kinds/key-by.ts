import { ExchangeWriter } from '../../format/exchange-writer.ts';
import type { KeyByNode } from '../../graph/job.ts';
import { keyGroupOf, subtaskOf } from '../../protocol/key-groups.ts';
import type { CurrentRecord } from '../../records/current-record.ts';
import { UserCodeError } from '../../records/errors.ts';
import { type Push, refusePromise } from '../../records/push.ts';
import type { ChainKind } from '../kind.ts';
import { withOrigins } from '../origins.ts';

/** Ends a chain in the segments of an exchange, one for each subtask of the stage behind it. */
export const keyBy: ChainKind<KeyByNode> = {
  givesToUser: () => true,
  open(node, { label, edges, current }) {
    const { maxParallelism, parallelism } = edges.context;
    return edges.ofNode(node.id, ({ to, way, withOrigins: carries = false }) => {
      const targets = parallelism(to);
      const targetOf = (hash: number) => subtaskOf(keyGroupOf(hash, maxParallelism), targets, maxParallelism);
      const value = carries ? withOrigins(node.value, current, way) : node.value;
      const exchange = new ExchangeWriter({ key: node.key, value, targets, targetOf, valuesAreKeys: !carries });
      const writer = { begin: () => exchange.begin(), records: () => exchange.rows, finish: () => exchange.finish() };
      return { writer, push: keyingBy(label, node, exchange, current) };
    });
  },
};

function keyingBy(label: string, { selector, key: serde }: KeyByNode, exchange: ExchangeWriter, current: CurrentRecord): Push {
  return (value) => {
    try {
      const key = selector(value);
      if (typeof key === 'object') refusePromise(key);
      if (key === undefined)
        throw new TypeError(`the selector gave undefined for the key (serde ${serde.name}); filter values without a key out before keyBy`);
      exchange.append(key, value, current.timestamp);
    } catch (cause) {
      throw new UserCodeError(label, cause);
    }
  };
}
