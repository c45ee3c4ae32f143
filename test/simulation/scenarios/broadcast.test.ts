import { expect, it } from 'vitest';
import { readCommitted } from '../checker/reader.ts';
import { LATER_INPUT } from '../sim-job.ts';
import type { World } from '../world.ts';
import { at, ends, jobNamed, plain, type Rule, story } from './story.ts';

const LINES = 16;
/** All rows are there at once, and an epoch takes a few of them; the rule comes while most of them are still to be read. */
const input = [...Array.from({ length: LINES }, (_, n) => plain(n, 0, `ant #${n}`)), { ...plain(400, 0, 'auk #rule'), topic: LATER_INPUT }];

/** What became of the rows, in their order: which rule each was judged by, and how many rules there were. */
async function judged(rules: readonly Rule[], parallelism = 1): Promise<readonly (readonly string[])[]> {
  let world: World | undefined;
  const told = await story(rules, {
    job: jobNamed('rules'),
    input,
    fetchBytes: 100,
    settings: { maxEpochBytes: 200 },
    parallelism: (coordinator) => ({ read: 1, 'read-later': 1, judge: coordinator === 1 ? 1 : parallelism, write: 1 }),
    prepare: (made) => {
      world = made;
    },
  });
  expect(ends(told)).toContain('stopped');
  const [log] = world?.broker.topics.get('output') ?? [];
  const texts = log === undefined ? [] : readCommitted(log, 0, log.end).map(({ value }) => value ?? '');
  return texts.map((text) => /^ant \S+ is (\d+), by ([^,]*), (\d+), /.exec(text)?.slice(1) ?? [text]);
}

const counts = Array.from({ length: LINES }, (_, n) => `${n + 1}`);

it('a rule that is broadcast while the rows are behind holds from its epoch on, for rows that are older than it too', async () => {
  const rows = await judged([]);
  expect(rows.map(([n]) => n)).toEqual(counts);
  const first = rows.findIndex(([, by]) => by === 'auk rule.0');
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(LINES - 1);
  expect(rows.map(([, by, told]) => `${by} ${told}`)).toEqual(
    Array.from({ length: LINES }, (_, n) => (n < first ? 'undefined 0' : 'auk rule.0 1')),
  );
});

it.each([
  ['before', 1],
  ['after', 1],
  ['before', 3],
  ['after', 3],
] as const)('it is known once when the coordinator dies %s any of these decisions, and %i subtasks go on', async (when, parallelism) => {
  for (const nth of [2, 3, 4, 5]) {
    const rows = await judged([{ at: at('decide', { nth }), fault: { fault: 'crash', when } }], parallelism);
    expect(rows.map(([n]) => n)).toEqual(counts);
    const told = rows.map(([, by, known]) => `${by} ${known}`);
    // None, then it: never none again, and never twice. Rows whose epoch was lost may be read together with it.
    expect(told).toEqual(told.toSorted((one, other) => Number(one.startsWith('auk')) - Number(other.startsWith('auk'))));
    expect(told.filter((one) => one !== 'undefined 0' && one !== 'auk rule.0 1')).toEqual([]);
    expect(told.at(-1)).toBe('auk rule.0 1');
  }
});
