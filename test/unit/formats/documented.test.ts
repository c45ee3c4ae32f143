import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keyed, last, payments, plain, protoOrders } from './documented/others.ts';

/** As an author's file imports it. */
const authored = (file: string) =>
  readFileSync(new URL(`./documented/${file}`, import.meta.url), 'utf8')
    .replace('../../../../lib/api/index.ts', 'onceflow')
    .replaceAll(/\.\.\/\.\.\/\.\.\/\.\.\/lib\/(?:formats\/)?(\w+)(?:\/index)?\.ts/g, 'onceflow/$1')
    .replace('../../../support/shop-proto.ts', './gen/order_pb.js');
/** Which import comes first is a matter of names. */
const sorted = (code: string) => code.split('\n').toSorted();

test('the examples of docs/formats.md are those that are compiled and run here', () => {
  const snippets = [...readFileSync('docs/formats.md', 'utf8').matchAll(/^```ts\n(?<code>[\s\S]*?)^```/gm)];
  expect(snippets.map(({ groups }) => sorted(groups?.['code'] ?? ''))).toEqual(
    ['orders.ts', 'orders.test.ts', 'others.ts'].map((file) => sorted(authored(file))),
  );
});

test('the others can be defined', () => {
  const topics = [protoOrders, payments, keyed, plain].flatMap((one) =>
    'topics' in one ? one.topics.map(({ topic }) => topic) : [one.topic],
  );
  expect(topics).toEqual(['proto-orders', 'payments', 'keyed', 'plain']);
  expect(last.declare('last', 'state last')).toMatchObject({ kind: 'value', name: 'last' });
});
