import { byRound, plainly, type Question } from './as-flink.ts';
import type { Case, FlinkAnswer, FlinkStep, Given, KeyedRow, Round, Rounds, WindowsCase } from './case.ts';

/** Where Onceflow does otherwise than Flink, and means to. docs/conformance.md says why. */
export interface Choice {
  /** As in docs/conformance.md. */
  readonly name: string;
  readonly asked: Case;
  /** What Flink is asked in place of the same, by round. */
  readonly rounds?: Question['rounds'];
  /** What they give, by round. */
  readonly flink: readonly (readonly string[])[];
  readonly ours: readonly (readonly string[])[];
}

const at = (...times: readonly number[]): KeyedRow[] => times.map((t) => ({ k: 'a', t }));
const until = (watermarkMs: number, ...times: readonly number[]): Round<KeyedRow> => ({ rows: at(...times), watermarkMs, processingMs: 0 });
const over = (processingMs: number, ...times: readonly number[]): Round<KeyedRow> => ({ rows: at(...times), processingMs });
const row = (t: number, v: number): FlinkStep => ({ row: { k: 'a', t, v } });
const of = (shape: WindowsCase['shape'], rounds: readonly Round<KeyedRow>[], more: Partial<WindowsCase> = {}): WindowsCase => ({
  kind: 'windows',
  shape,
  time: 'event',
  allowedLatenessMs: 0,
  make: 'aggregate',
  rounds,
  ...more,
});
const tumbling = { kind: 'tumbling', sizeMs: 10, offsetMs: 0 } as const;
const session = { kind: 'session', gapMs: 10 } as const;
const setEvent = (afterMs: number) => ({ do: 'set', domain: 'event', afterMs }) as const;
const setProcessing = (afterMs: number) => ({ do: 'set', domain: 'processing', afterMs }) as const;

export const choices: readonly Choice[] = [
  {
    name: 'a session waits for a value exactly the gap behind',
    asked: of(session, [until(9, 0), until(9, 10), until(20)]),
    flink: [['a [0, 10) 0 at 9'], [], ['a [10, 20) 1 at 19']],
    ours: [[], [], ['a [0, 20) 0 1 at 20']],
  },
  {
    name: 'a session of processing time too',
    asked: of(session, [over(0, 0), over(10, 0), over(21)], { time: 'processing' }),
    flink: [[], ['a [0, 10) 0 at 9'], ['a [10, 20) 1 at 19']],
    ours: [[], [], ['a [0, 20) 0 1 at 20']],
  },
  {
    name: 'late values of an epoch make one update of a window',
    asked: of(tumbling, [until(9, 1), until(9, 2, 3)], { allowedLatenessMs: 5 }),
    flink: [['a [0, 10) 0 at 9'], ['a [0, 10) 0 1 at 9', 'a [0, 10) 0 1 2 at 9']],
    ours: [['a [0, 10) 0 at 9'], ['a [0, 10) 0 1 2 at 9']],
  },
  {
    name: 'a session that late values let grow is given when it is over again',
    asked: of(session, [until(12, 0), until(12, 2, 9), until(30)], { allowedLatenessMs: 5 }),
    flink: [['a [0, 10) 0 at 9'], ['a [0, 12) 0 1 at 11'], ['a [0, 19) 0 1 2 at 18']],
    ours: [['a [0, 10) 0 at 10'], [], ['a [0, 19) 0 1 2 at 19']],
  },
  {
    name: 'late is what was late when the epoch began',
    asked: of(tumbling, [until(24, 25, 3), until(40)]),
    rounds: [[row(25, 0), { watermark: 24 }, row(3, 1)], [{ watermark: 40 }]],
    flink: [['a late 1 at 3'], ['a [20, 30) 0 at 29']],
    ours: [['a [0, 10) 1 at 9'], ['a [20, 30) 0 at 29']],
  },
  {
    name: 'process has its values in order of time',
    asked: of(tumbling, [until(9, 5, 3, 4)], { make: 'process' }),
    flink: [['a [0, 10) 0 1 2 at 9']],
    ours: [['a [0, 10) 1 2 0 at 9']],
  },
  {
    name: 'a count window has times',
    asked: of({ kind: 'count', size: 2 }, [until(0, 7, 3)]),
    flink: [['a 0 1 at 9223372036854776000']],
    ours: [['a [3, 8) 0 1 at 3']],
  },
  {
    name: 'timers fire behind the records of an epoch',
    asked: {
      kind: 'timers',
      inTimeOrder: false,
      onRecord: [[setEvent(5)]],
      onTimer: [],
      rounds: [{ rows: [0, 20].map((t) => ({ k: 'a', t, v: 0 })), watermarkMs: 19, processingMs: 0 }],
    },
    rounds: [[row(0, 0), { watermark: 19 }, row(20, 0), { processingTime: 0 }]],
    flink: [['a row 0 at 0', 'a event 5 sees 19 at 5', 'a row 20 sees 19 at 20']],
    ours: [['a row 0 at 0', 'a row 20 at 20', 'a event 5 sees 19 at 5']],
  },
  {
    name: 'a timer that another one sets fires in the same epoch when it is due',
    asked: {
      kind: 'timers',
      inTimeOrder: false,
      onRecord: [[setProcessing(0)]],
      onTimer: [{ domain: 'processing', modulo: 1, rest: 0, upTo: 9, actions: [setEvent(1)] }],
      rounds: [
        { rows: [{ k: 'a', t: 5, v: 0 }], watermarkMs: 8, processingMs: 5 },
        { rows: [], watermarkMs: 9, processingMs: 5 },
      ],
    },
    flink: [['a row 5 at 5', 'a processing 5 sees 8'], ['a event 6 sees 9 at 6']],
    ours: [['a row 5 at 5', 'a processing 5 sees 8 at 5', 'a event 6 sees 8 at 6'], []],
  },
  {
    name: 'in time order a timer sees its own time as the watermark',
    asked: {
      kind: 'timers',
      inTimeOrder: true,
      onRecord: [[setEvent(5)]],
      onTimer: [],
      rounds: [{ rows: [{ k: 'a', t: 0, v: 0 }], watermarkMs: 19, processingMs: 0 }],
    },
    rounds: [[{ watermark: -1 }, row(0, 0), { watermark: 19 }]],
    flink: [['a row 0 sees -1 at 0', 'a event 5 sees 19 at 5']],
    ours: [['a row 0 sees -1 at 0', 'a event 5 sees 5 at 5']],
  },
  {
    name: 'what a timer of processing time makes has its time',
    asked: {
      kind: 'timers',
      inTimeOrder: false,
      onRecord: [[setProcessing(1)]],
      onTimer: [],
      rounds: [{ rows: [{ k: 'a', t: 5, v: 0 }], processingMs: 7 }],
    },
    flink: [['a row 5 at 5', 'a processing 6']],
    ours: [['a row 5 at 5', 'a processing 6 at 6']],
  },
];

/** What Flink is asked: the same, as it stands. */
export function askedOfFlink({ asked, rounds }: Choice): Question {
  const plain = plainly(asked);
  return rounds === undefined ? plain : { ...plain, rounds };
}

/** What Flink gave, in the form of `flink`. */
export function flinkGave(choice: Choice, answer: FlinkAnswer): string[][] {
  return byRound(askedOfFlink(choice), answer).map((given) => given.map(textOf));
}

/** What Onceflow gave, in the form of `ours`. */
export function weGave(rounds: Rounds): string[][] {
  return rounds.map((given) =>
    given.map(({ value, ...each }) => textOf({ ...each, ...(Array.isArray(value) ? { value } : (value as object)) })),
  );
}

interface Texted extends Given {
  readonly domain?: string;
  readonly timeMs?: number;
  readonly watermarkMs?: number;
}

function textOf({ late, key, startMs, endMs, value, domain, timeMs, watermarkMs, timestamp }: Texted): string {
  const window = startMs === undefined ? [] : [`[${startMs}, ${endMs})`];
  const sees = watermarkMs === undefined ? [] : ['sees', watermarkMs];
  const what = late !== undefined ? ['late', late] : domain !== undefined ? [domain, timeMs, ...sees] : [...window, ...(value as number[])];
  return [key, ...what, ...(timestamp === undefined ? [] : [`at ${timestamp}`])].join(' ');
}
