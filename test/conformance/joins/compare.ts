import type { Answer, Case, Peer, Rounds } from './case.ts';
import { expectedOf } from './questions.ts';

export interface Difference {
  readonly peer: Peer;
  /** From 0. */
  readonly round: number;
  readonly expected: readonly string[];
  readonly ours: readonly string[];
}

/** Of these what a key is given has an order: that of the rows which bring it about. */
const IN_ORDER: readonly Case['kind'][] = ['table', 'tables', 'deduplicate', 'top', 'broadcast'];

/** What Onceflow gives otherwise than the peer. The order between keys does not matter: they have another one. Undefined: nothing. */
export function differenceOf(asked: Case, peer: Peer, answer: Answer, given: Rounds): Difference | undefined {
  const isInOrder = IN_ORDER.includes(asked.kind);
  const [expected, ours] = [expectedOf(asked, peer, answer), given].map((rounds) => rounds.map((texts) => shown(texts, isInOrder)));
  if (expected === undefined || ours === undefined) throw new Error('nothing to compare');
  const round = expected.findIndex((each, index) => each.join() !== ours[index]?.join());
  return round < 0 ? undefined : { peer, round, expected: expected[round] ?? [], ours: ours[round] ?? [] };
}

function shown(texts: readonly string[], isInOrder: boolean): string[] {
  const partOf = (text: string) => (isInOrder ? text.slice(0, text.indexOf(' ')) : text);
  return texts.toSorted((one, other) => (partOf(one) < partOf(other) ? -1 : partOf(one) > partOf(other) ? 1 : 0));
}
