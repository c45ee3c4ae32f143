import type { Order } from '../support/orders.ts';

/** Of an order, by what it costs. */
export function sizeOf({ cents }: Order): string {
  if (cents < 2_000) return 'small';
  return cents < 7_000 ? 'middling' : 'large';
}
