import fc from 'fast-check';
import { session, sliding, tumbling } from '../windows.ts';
import type { Case, Round, Row } from './case.ts';

/** Behind all that cases draw: every window, every interval and every timer is over. */
const END_MS = 100_000;
/** Around which the first times are: some are before 1970. */
const FIRST_MS = -20;

type Drawn = Omit<Row, 'name'>;

const row: fc.Arbitrary<Drawn> = fc.record({
  k: fc.constantFrom('a', 'b', 'c'),
  t: fc.integer({ min: -12, max: 14 }),
  p: fc.nat(3),
  gone: fc.constantFrom(false, false, false, true),
});

const drawnRounds = fc.array(
  fc.record({
    left: fc.array(row, { maxLength: 5 }),
    right: fc.array(row, { maxLength: 5 }),
    watermarkStep: fc.option(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })), { nil: undefined, freq: 6 }),
    processingStep: fc.integer({ min: 0, max: 9 }),
    parallelism: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 3 }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** Watermarks and processing time go forward only; rows are around the watermark before them, and the first rounds may have none. */
const rounds: fc.Arbitrary<Round[]> = drawnRounds.map((all) => {
  let watermarkMs: number | undefined;
  let processingMs = 0;
  const numbers = { l: 0, r: 0 };
  const drawn = all.map(({ left, right, watermarkStep, processingStep, parallelism }): Round => {
    const beforeMs = watermarkMs ?? FIRST_MS;
    if (watermarkStep !== undefined) watermarkMs = beforeMs + watermarkStep;
    processingMs += processingStep;
    const named = (side: 'l' | 'r', rows: readonly Drawn[]) =>
      rows.map(({ k, t, p, gone }): Row => ({ k, t: t + beforeMs, name: `${side}${numbers[side]++}`, p, gone }));
    return { left: named('l', left), right: named('r', right), watermarkMs, processingMs, parallelism };
  });
  return [...drawn, { left: [], right: [], watermarkMs: END_MS, processingMs }];
});

const either = fc.constantFrom('inner' as const, 'left' as const);
const bounds = fc.tuple(fc.integer({ min: -12, max: 12 }), fc.integer({ min: -12, max: 12 }));
const lateness = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 }));

/** Cases of each kind. */
export const draws: { readonly [Kind in Case['kind']]: fc.Arbitrary<Extract<Case, { readonly kind: Kind }>> } = {
  interval: fc.record({ type: either, bounds, rounds }).map(({ type, bounds: [one, other], rounds: of }) => ({
    kind: 'interval',
    type,
    lowerBoundMs: Math.min(one, other),
    upperBoundMs: Math.max(one, other),
    rounds: of,
  })),
  window: fc.record({
    kind: fc.constant('window' as const),
    shape: fc.oneof(tumbling, sliding, session),
    allowedLatenessMs: lateness,
    make: fc.constantFrom('join', 'coGroup'),
    rounds,
  }),
  asOf: fc.record({ kind: fc.constant('asOf' as const), type: either, rounds }),
  table: fc.record({ kind: fc.constant('table' as const), type: either, rounds }),
  tables: fc.record({ kind: fc.constant('tables' as const), type: fc.constantFrom('inner', 'left', 'full'), rounds }),
  deduplicate: fc.record({
    kind: fc.constant('deduplicate' as const),
    forMs: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined, freq: 3 }),
    rounds: leftAlone(rounds),
  }),
  top: fc.record({ kind: fc.constant('top' as const), n: fc.integer({ min: 1, max: 4 }), rounds: leftAlone(rounds) }),
  broadcast: fc.record({ kind: fc.constant('broadcast' as const), rounds }),
};

function leftAlone(of: fc.Arbitrary<Round[]>): fc.Arbitrary<Round[]> {
  return of.map((all) => all.map((round) => ({ ...round, right: [] })));
}
