import fc from 'fast-check';
import { session, sliding, tumbling } from '../windows.ts';
import type { Case, KeyedRow, Round, TimerAction, TimerRule, TimersCase, WindowsCase } from './case.ts';

/** Behind all that cases draw: every window and every timer is due. */
const END_MS = 100_000;
/** Behind all rows, and before what timers of processing time set of event time. */
const BEYOND_MS = 200;
/** Around which the first times are: some are before 1970. */
const FIRST_MS = -20;

const keys = fc.constantFrom('a', 'b', 'c');
const row: fc.Arbitrary<KeyedRow> = fc.record({ k: keys, t: fc.integer({ min: -16, max: 16 }) });

/** Watermarks and processing time go forward only; the first rounds may have no watermark. @param row its time is behind the watermark before it */
function roundsOf<R extends KeyedRow>(row: fc.Arbitrary<R>): fc.Arbitrary<Round<R>[]> {
  const drawn = fc.record({
    rows: fc.array(row, { maxLength: 6 }),
    watermarkStep: fc.option(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })), { nil: undefined, freq: 6 }),
    processingStep: fc.integer({ min: 0, max: 9 }),
    parallelism: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 3 }),
  });
  return fc.array(drawn, { minLength: 1, maxLength: 9 }).map((all) => {
    let watermarkMs: number | undefined;
    let processingMs = 0;
    const rounds = all.map(({ rows, watermarkStep, processingStep, parallelism }): Round<R> => {
      const beforeMs = watermarkMs ?? FIRST_MS;
      if (watermarkStep !== undefined) watermarkMs = beforeMs + watermarkStep;
      processingMs += processingStep;
      return { rows: rows.map((each) => ({ ...each, t: each.t + beforeMs })), watermarkMs, processingMs, parallelism };
    });
    // One after the other: rows that wait for the watermark, timers of processing time, and what these set of event time.
    return [
      ...rounds,
      { rows: [], watermarkMs: BEYOND_MS, processingMs },
      { rows: [], watermarkMs: BEYOND_MS, processingMs: END_MS },
      { rows: [], watermarkMs: END_MS, processingMs: END_MS },
    ];
  });
}

const count = fc.record({ size: fc.integer({ min: 1, max: 4 }) }).map(({ size }) => ({ kind: 'count', size }) as const);
const shapes: fc.Arbitrary<WindowsCase['shape']> = fc.oneof(
  { weight: 3, arbitrary: tumbling },
  { weight: 4, arbitrary: sliding },
  { weight: 4, arbitrary: session },
  { weight: 1, arbitrary: count },
);

const windows: fc.Arbitrary<WindowsCase> = fc
  .record({
    shape: shapes,
    time: fc.oneof({ weight: 3, arbitrary: fc.constant('event' as const) }, { weight: 1, arbitrary: fc.constant('processing' as const) }),
    allowedLatenessMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })),
    make: fc.constantFrom('process', 'aggregate', 'aggregate without merge', 'reduce'),
    rounds: roundsOf(row),
  })
  .map(({ shape, time, allowedLatenessMs, make, rounds }) => ({
    kind: 'windows',
    shape,
    time: shape.kind === 'count' ? 'event' : time,
    allowedLatenessMs: time === 'processing' || shape.kind === 'count' ? 0 : allowedLatenessMs,
    make: shape.kind === 'session' && make === 'aggregate without merge' ? 'aggregate' : make,
    rounds,
  }));

const domains = fc.constantFrom('event', 'processing');
const action: fc.Arbitrary<TimerAction> = fc.record({
  do: fc.constantFrom('set', 'set', 'set', 'delete'),
  domain: domains,
  afterMs: fc.integer({ min: -8, max: 12 }),
});

interface Crossing {
  /** Whose timers may set and delete those of the other. */
  readonly from: TimerAction['domain'];
}

const ruleOf = ({ from }: Crossing): fc.Arbitrary<TimerRule> =>
  fc
    .record({
      domain: domains,
      modulo: fc.integer({ min: 1, max: 4 }),
      rest: fc.nat(3),
      upTo: fc.nat(15),
      actions: fc.array(action, { minLength: 1, maxLength: 3 }),
    })
    .map(({ domain, modulo, rest, upTo, actions }) => {
      const crosses = (each: TimerAction) => each.domain !== domain;
      return {
        domain,
        modulo,
        rest: rest % modulo,
        upTo,
        actions: actions
          .filter((each) => domain === from || !crosses(each))
          .map((each) => (from === 'processing' && crosses(each) ? later(each) : each)),
      };
    });

/** Not due in the epoch in which a processing time timer sets it: then Flink has it wait for another watermark (choices.ts). */
function later(action: TimerAction): TimerAction {
  return { ...action, afterMs: action.afterMs + 500 };
}

const timers: fc.Arbitrary<TimersCase> = fc
  .record({ onRecord: fc.array(fc.array(action, { maxLength: 4 }), { minLength: 1, maxLength: 3 }), from: domains })
  .chain(({ onRecord, from }) =>
    fc.record({
      kind: fc.constant('timers' as const),
      inTimeOrder: fc.boolean(),
      onRecord: fc.constant(onRecord),
      onTimer: fc.array(ruleOf({ from }), { maxLength: 3 }),
      rounds: roundsOf(fc.record({ k: keys, t: fc.integer({ min: -16, max: 16 }), v: fc.nat(onRecord.length - 1) })),
    }),
  );

export const cases: fc.Arbitrary<Case> = fc.oneof({ weight: 3, arbitrary: windows }, { weight: 1, arbitrary: timers });
