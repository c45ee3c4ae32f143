import { expect, it } from 'vitest';
import { drawChain } from '../../chain/drawing.ts';
import { jumpsBack, type Sample } from '../../chain/watch.ts';
import { orderOf, resultsOf } from '../../support/orders.ts';

const seen = (atMs: number, ours: number, plain: number): Sample => ({
  atMs,
  sent: 100,
  ours: { orders: ours, repeated: 0 },
  plain: { orders: plain, repeated: 0 },
});
const samples = [
  seen(0, 0, 0),
  seen(100, 10, 20),
  seen(200, 10, 12),
  seen(300, 20, 15),
  seen(400, 20, 20),
  seen(500, 30, 40),
  seen(600, 30, 39),
];

it('a jump back begins where a reader sees less than before, and ends where it sees as much', () => {
  expect(jumpsBack(samples, 'ours')).toEqual([]);
  expect(jumpsBack(samples, 'plain')).toEqual([
    { fromMs: 200, toMs: 400, orders: 8 },
    { fromMs: 600, toMs: undefined, orders: 1 },
  ]);
});

it('the figure has a line for each way in each panel, and one for each kill', () => {
  const svg = drawChain({ samples, killedAtMs: [150, 550], orders: 40 });
  expect(svg.match(/class="line ours" d="M0 /g)).toHaveLength(3);
  expect(svg.match(/class="line plain" d="M0 /g)).toHaveLength(3);
  expect(svg.match(/class="kill"/g)).toHaveLength(2 * 3);
});

it('results are told from orders, each customer’s in their order', () => {
  const orders = [orderOf(0), orderOf(1), orderOf(0)];
  expect(orders[0]).toEqual(orders[2]);
  const [first = '', , third = ''] = resultsOf(orders);
  expect([first, third]).toEqual([
    `${orders[0]?.customer}: 1 orders, ${orders[0]?.cents} cents`,
    `${orders[0]?.customer}: 2 orders, ${2 * (orders[0]?.cents ?? 0)} cents`,
  ]);
});
