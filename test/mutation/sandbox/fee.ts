/** A source for the tests of the mutation tool; nobody else uses it. */
const FEES: Record<'least', number> = { least: 500 };

export function feeFor(cents: number): number {
  return Math.max(cents, FEES.least);
}

export function nobodyAsks(): boolean {
  return true;
}
