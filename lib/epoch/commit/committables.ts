import type { Committable } from '../../protocol/committable.ts';

/** Committables of one sink, by one connector. */
export interface CommittablesOfSink {
  readonly sink: string;
  readonly connector: string;
  readonly committables: readonly Committable[];
}

/** Whose it is, for people, and to be compared. */
export function describeCommittable({ sink, connector, subtask, epoch }: Omit<Committable, 'token'>): string {
  return `sink ${sink}, connector ${connector}, subtask ${subtask}, epoch ${epoch}`;
}

/** A sink has one connector in one epoch. */
export function committablesBySink(committables: readonly Committable[]): CommittablesOfSink[] {
  const groups = Map.groupBy(committables, ({ sink, connector }) => JSON.stringify([sink, connector]));
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [{ sink: first.sink, connector: first.connector, committables: own }];
  });
}
