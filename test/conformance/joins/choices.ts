import type { Answer, Case, Peer, Question, Round, Rounds, Row, Step } from './case.ts';
import { byRound, plainly } from './questions.ts';

/** Where Onceflow does otherwise than Flink or Kafka Streams, and means to. docs/conformance.md says why. */
export interface Choice {
  /** As in docs/conformance.md. */
  readonly name: string;
  readonly peer: Peer;
  readonly asked: Case;
  /** What the peer is asked in place of the same, by round. */
  readonly rounds?: Question['rounds'];
  /** What they give, by round. */
  readonly theirs: Rounds;
  readonly ours: Rounds;
}

const row = (name: string, t: number): Row => ({ k: 'a', t, name, p: 0, gone: false });
const round = (left: readonly Row[], right: readonly Row[], watermarkMs?: number): Round => ({ left, right, watermarkMs, processingMs: 0 });
const left = (of: Row): Step => ({ left: of });
const right = (of: Row): Step => ({ right: of });
const interval = (type: 'inner' | 'left', bounds: readonly [number, number], rounds: readonly Round[]): Case => ({
  kind: 'interval',
  type,
  lowerBoundMs: bounds[0],
  upperBoundMs: bounds[1],
  rounds,
});
const close: Step = { close: true };

export const choices: readonly Choice[] = [
  {
    name: 'a pair comes when the watermark has come to it',
    peer: 'Flink',
    asked: interval('inner', [0, 9], [round([row('l0', 5)], [row('r0', 7)], 6), round([], [], 7)]),
    theirs: [['a l0 r0 at 7'], []],
    ours: [[], ['a l0 r0 at 7']],
  },
  {
    name: 'a row as old as the watermark is late',
    peer: 'Flink',
    asked: interval('inner', [0, 9], [round([row('l0', 5)], [], 7), round([], [row('r0', 7)], 9)]),
    theirs: [[], ['a l0 r0 at 7']],
    ours: [[], ['a late r0 at 7']],
  },
  {
    name: "SQL's left join by interval works with late rows",
    peer: 'Flink',
    asked: interval('left', [0, 9], [round([], [], 7), round([row('l0', 5)], [row('r0', 6)], 20)]),
    theirs: [[], ['a l0 r0']],
    ours: [[], ['a late l0 at 5', 'a late r0 at 6']],
  },
  {
    name: 'what is alone comes at the end of its interval, and has that time',
    peer: 'Kafka Streams',
    asked: interval('left', [0, 3], [round([row('l0', 5)], [], 8)]),
    rounds: [[left(row('l0', 5))], [close]],
    theirs: [[], ['a l0 - at 5']],
    ours: [['a l0 - at 8']],
  },
  {
    name: 'nothing is given as alone that a row may still belong to',
    peer: 'Kafka Streams',
    asked: interval('left', [0, 1], [round([row('l0', 9), row('l1', 5)], [row('r0', 6)], 20)]),
    rounds: [[left(row('l0', 9)), left(row('l1', 5)), right(row('r0', 6))], [close]],
    theirs: [['a l1 - at 5', 'a l1 r0 at 6'], ['a l0 - at 9']],
    ours: [['a l1 r0 at 6', 'a l0 - at 10']],
  },
  {
    name: 'a join of sessions waits for a row exactly the gap behind',
    peer: 'Flink',
    asked: {
      kind: 'window',
      shape: { kind: 'session', gapMs: 10 },
      allowedLatenessMs: 0,
      make: 'join',
      rounds: [round([row('l0', 0)], [], 9), round([], [row('r0', 10)], 20)],
    },
    theirs: [[], []],
    ours: [[], ['a l0 r0 at 20']],
  },
  {
    name: 'late rows of an epoch make one update of the pairs of a window',
    peer: 'Flink',
    asked: {
      kind: 'window',
      shape: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
      allowedLatenessMs: 5,
      make: 'join',
      rounds: [round([row('l0', 0)], [row('r0', 1)], 9), round([row('l1', 2), row('l2', 3)], [], 9)],
    },
    theirs: [['a l0 r0 at 9'], ['a l0 r0 at 9', 'a l1 r0 at 9', 'a l0 r0 at 9', 'a l1 r0 at 9', 'a l2 r0 at 9']],
    ours: [['a l0 r0 at 9'], ['a l0 r0 at 9', 'a l1 r0 at 9', 'a l2 r0 at 9']],
  },
  {
    name: 'coGroup has its rows in order of time',
    peer: 'Flink',
    asked: {
      kind: 'window',
      shape: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
      allowedLatenessMs: 0,
      make: 'coGroup',
      rounds: [round([row('l0', 5), row('l1', 3)], [], 9)],
    },
    theirs: [['a [l0,l1] [] at 9']],
    ours: [['a [l1,l0] [] at 9']],
  },
  {
    name: 'an as-of join works with no late row, and with no late version',
    peer: 'Flink',
    asked: {
      kind: 'asOf',
      type: 'inner',
      rounds: [round([], [row('r0', 1)], 5), round([row('l0', 4), row('l1', 9)], [row('r1', 3)], 9)],
    },
    theirs: [[], ['a l0 r1', 'a l1 r1']],
    ours: [[], ['a late r1 at 3', 'a late l0 at 4', 'a l1 r0 at 9']],
  },
  {
    name: 'a deletion holds that has the time of what it deletes, also when an older version comes',
    peer: 'Kafka Streams',
    asked: {
      kind: 'asOf',
      type: 'inner',
      rounds: [round([], [row('r0', 5), { ...row('r1', 5), gone: true }, row('r2', 1)]), round([row('l0', 5)], [], 9)],
    },
    rounds: [[right(row('r0', 5)), right({ ...row('r1', 5), gone: true }), right(row('r2', 1)), left(row('l0', 5))], [close]],
    theirs: [[], ['a l0 r2 at 5']],
    ours: [[], []],
  },
  {
    name: 'what a table brings comes before the rows of its epoch',
    peer: 'Kafka Streams',
    asked: { kind: 'table', type: 'left', rounds: [round([row('l0', 5)], [row('r0', 6)])] },
    theirs: [['a l0 - at 5']],
    ours: [['a l0 r0 at 5']],
  },
  {
    name: 'a change of two tables has the time of the row that brings it about',
    peer: 'Kafka Streams',
    asked: { kind: 'tables', type: 'inner', rounds: [round([row('l0', 9)], [row('r0', 4)])] },
    theirs: [['a l0 r0 at 9']],
    ours: [['a l0 r0 at 4']],
  },
  {
    name: 'what is broadcast comes before the rows of its epoch',
    peer: 'Flink',
    asked: { kind: 'broadcast', rounds: [round([row('l0', 5)], [row('r0', 6)])] },
    theirs: [['a l0 at 5']],
    ours: [['a l0 a=r0 at 5']],
  },
];

/** What the peer is asked: the same, as it stands. */
export function askedPlainly({ asked, peer, rounds }: Choice): Question {
  const plain = plainly(asked);
  const rows = (steps: readonly Step[]) => steps.filter((step) => 'left' in step || 'right' in step);
  return { ...plain, rounds: rounds ?? (peer === 'Flink' ? plain.rounds : plain.rounds.map(rows)) };
}

/** What the peer gave, in the form of `theirs`. */
export function theyGave(choice: Choice, answer: Answer): string[][] {
  return byRound(askedPlainly(choice), answer).map((round) =>
    round.flat().map(({ text, timestamp }) => (timestamp === undefined ? text : `${text} at ${timestamp}`)),
  );
}
