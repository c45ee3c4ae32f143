import { beforeAll, describe, expect, it } from 'vitest';
import { forged } from '../histories/forged.ts';
import { type Append, type History, historyOf } from '../histories/history.ts';
import { wrongIn } from '../histories/plain-check.ts';
import { buildPorcupine, hasGo, porcupineOn } from '../histories/porcupine.ts';
import { simulatedHistory } from '../histories/simulated.ts';

const WORLDS = 25;
const GO = hasGo();

/** Four appends to two lists, right, each seen before the next one is sent. */
const right = historyOf(
  [
    { key: 'ant', element: '1', partition: 0, place: 0, atMs: 1 },
    { key: 'bee', element: '2', partition: 1, place: 1, atMs: 2 },
    { key: 'ant', element: '3', partition: 0, place: 2, atMs: 10 },
    { key: 'ant', element: '4', partition: 1, place: 3, atMs: 20 },
  ],
  [
    { text: 'ant 1: 1', atMs: 5 },
    { text: 'bee 2: 2', atMs: 6 },
    { text: 'ant 3: 1 3', atMs: 15 },
    { text: 'ant 4: 1 3 4', atMs: 25 },
  ],
);

/** The same with something else seen of an element. */
function but(element: string, change: (append: Append) => Partial<Append>): History {
  return { ...right, appends: right.appends.map((append) => (append.element === element ? { ...append, ...change(append) } : append)) };
}

/** 3 was sent when 1 had been seen, and is before it all the same. */
const before: History = {
  ...right,
  appends: [
    ...but('1', () => ({ seen: [{ list: ['3', '1'], atMs: 5 }] })).appends.filter(({ element }) => element === '1'),
    ...but('3', () => ({ seen: [{ list: ['3'], atMs: 15 }] })).appends.filter(({ element }) => element === '3'),
  ],
};

const wrong: readonly (readonly [string, History])[] = [
  ['output that comes twice', but('3', ({ seen }) => ({ seen: [...seen, ...seen] }))],
  ['input that is counted twice', but('4', () => ({ seen: [{ list: ['1', '3', '3', '4'], atMs: 25 }] }))],
  ['input that is forgotten', but('4', () => ({ seen: [{ list: ['1', '4'], atMs: 25 }] }))],
  ['state that went back', but('3', () => ({ seen: [{ list: ['3'], atMs: 15 }] }))],
  ['an effect before its cause', before],
  ...forged(right).map(({ what, history }) => [what, history] as const),
];

describe('the plain check', () => {
  it('finds nothing in a right history', () => expect(wrongIn(right)).toEqual([]));
  it.each(wrong)('finds %s', (_what, history) => expect(wrongIn(history)).not.toEqual([]));
  it('finds what nobody has sent, and what never came out', () => {
    expect(wrongIn({ ...right, strangers: ['cow 9: 9'] })).toEqual(['nobody has sent: cow 9: 9']);
    expect(wrongIn(but('2', () => ({ seen: [] })))).toEqual(['bee 2 is shown 0 times, and was sent once']);
  });
});

describe.skipIf(!GO)('Porcupine, which Go brings', () => {
  beforeAll(buildPorcupine);
  it('explains a right history', async () => expect(await porcupineOn(right)).toBeUndefined());
  it.each(wrong)('cannot explain %s', async (_what, history) => expect(await porcupineOn(history)).toContain('ant'));
});

it(`what readers see of a job that appends to lists is right in ${WORLDS} worlds with faults${GO ? ', as Porcupine judges too' : ''}`, async () => {
  let [histories, appends, faults] = [0, 0, 0];
  for (let seed = 1; histories < WORLDS; seed++) {
    const simulated = await simulatedHistory(seed);
    if (simulated === undefined) continue;
    const { history, outcome } = simulated;
    histories++;
    expect({ seed, violations: outcome.violations, wrong: wrongIn(history) }).toEqual({ seed, violations: [], wrong: [] });
    if (GO) expect({ seed, said: await porcupineOn(history) }).toEqual({ seed, said: undefined });
    appends += history.appends.length;
    faults += outcome.injected.length;
  }
  expect(appends).toBeGreaterThan(WORLDS * 20);
  expect(faults).toBeGreaterThan(WORLDS * 5);
});
