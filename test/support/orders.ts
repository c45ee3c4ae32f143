/** What comes in. */
export interface Order {
  readonly customer: string;
  readonly cents: number;
}

/** What goes out after each order: all that its customer has ordered up to then. */
export interface Total {
  readonly customer: string;
  readonly orders: number;
  readonly cents: number;
}

const CUSTOMERS = 24;

/** The n-th order of a run: the same at each call. */
export function orderOf(n: number): Order {
  const mixed = Math.imul(n + 1, 2_654_435_761) >>> 0;
  return { customer: `customer ${mixed % CUSTOMERS}`, cents: 100 + ((mixed >>> 8) % 9_900) };
}

/** What must come out of these orders, each customer's in their order: a row of text for each. */
export function resultsOf(orders: readonly Order[]): string[] {
  const totals = new Map<string, Total>();
  return orders.map(({ customer, cents }) => {
    const before = totals.get(customer) ?? { customer, orders: 0, cents: 0 };
    const total = { customer, orders: before.orders + 1, cents: before.cents + cents };
    totals.set(customer, total);
    return shown(total);
  });
}

export function shown({ customer, orders, cents }: Total): string {
  return `${customer}: ${orders} orders, ${cents} cents`;
}
