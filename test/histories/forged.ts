import type { Append, History } from './history.ts';

/** A history that no exactly-once job has. */
export interface Forged {
  readonly what: string;
  readonly history: History;
}

type Change = (append: Append, of: Append) => Append;

const CHANGES: readonly { readonly what: string; readonly change: Change }[] = [
  {
    what: 'an output that comes twice',
    change: (append, of) => (append === of ? { ...of, seen: [...of.seen, ...of.seen] } : append),
  },
  { what: 'an output that is lost', change: (append, of) => (append === of ? { ...of, seen: [] } : append) },
  {
    what: 'an append that is lost',
    change: (append, of) =>
      append === of ? { ...of, seen: [] } : withLists(append, (list) => list.filter((element) => element !== of.element)),
  },
  {
    what: 'an append that is made twice',
    change: (append, of) =>
      withLists(append, (list) => list.flatMap((element) => (element === of.element ? [element, element] : [element]))),
  },
];

/**
 * Of a history that is right the same with one thing wrong, each in the list of one key alone: who judges them right judges nothing.
 * @throws Error: no list has two elements
 */
export function forged({ appends }: History): Forged[] {
  const lists = [...Map.groupBy(appends, ({ key }) => key).values()];
  const longest = lists.toSorted((one, other) => other.length - one.length)[0] ?? [];
  const inOrder = longest.toSorted((one, other) => lengthOf(one) - lengthOf(other));
  const of = inOrder[Math.floor((inOrder.length - 1) / 2)];
  if (of === undefined || inOrder.length < 2) throw new Error('no list of the history has two elements');
  return CHANGES.map(({ what, change }) => ({
    what,
    history: { appends: longest.map((append) => change(append, of)), strangers: [] },
  }));
}

function lengthOf({ seen }: Append): number {
  return seen[0]?.list.length ?? 0;
}

function withLists(append: Append, change: (list: readonly string[]) => readonly string[]): Append {
  return { ...append, seen: append.seen.map(({ list, atMs }) => ({ list: change(list), atMs })) };
}
