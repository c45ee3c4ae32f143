/**
 * A B, B A, A B …: what drifts on the machine befalls all alike, and so does what the one before leaves behind (a broker that is
 * warm, a page cache that is full). With A B A B the second is always behind the first: two checkouts of the
 * word count used 1.05 times the CPU in one order, and 0.98 times in the other.
 */
export function inTurn<T>(round: readonly T[], rounds: number): (T & { readonly run: number })[] {
  return Array.from({ length: rounds }, (_, index) => {
    const order = index % 2 === 0 ? round : round.toReversed();
    return order.map((turn) => ({ ...turn, run: index + 1 }));
  }).flat();
}
