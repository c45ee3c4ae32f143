import { expect, it } from 'vitest';
import { upgradedPool } from '../../../lib/protocol/earlier/job-rows.ts';
import { type Pool, sinksOf, widened } from '../../../lib/protocol/pool.ts';

const pool: Pool = { some: { write: { subtasks: 2, places: ['out'] } } };

it('a pool that has nothing new to it is the same one', () => {
  expect(widened(pool, { some: { write: { subtasks: 1, places: ['out'] } } })).toBe(pool);
  expect(widened(pool, {})).toBe(pool);
});

it('is widened by sink and by connector, and never narrowed', () => {
  const more = { some: { write: { subtasks: 1, places: ['other', 'other'] } }, another: { write: { subtasks: 1, places: [] } } };
  expect(widened(pool, more)).toEqual({
    some: { write: { subtasks: 2, places: ['out', 'other'] } },
    another: { write: { subtasks: 1, places: [] } },
  });
  expect(pool).toEqual({ some: { write: { subtasks: 2, places: ['out'] } } });
});

it('holds a sink of whatever name', () => {
  const named = widened({}, { some: Object.fromEntries([['__proto__', { subtasks: 3, places: ['out'] }]]) });
  expect(Object.entries(sinksOf(named, 'some'))).toEqual([['__proto__', { subtasks: 3, places: ['out'] }]]);
  expect(sinksOf(named, 'constructor')).toEqual({});
});

it("of builds that knew no connectors is Kafka's: sinks with their ids, and topics where nothing was prepared", () => {
  expect(upgradedPool({ write: 2, old: 1 }, { write: ['out'], plain: ['copies'] })).toEqual({
    kafka: {
      write: { subtasks: 2, places: ['out'] },
      old: { subtasks: 1, places: [] },
      plain: { subtasks: 0, places: ['copies'] },
    },
  });
  expect(upgradedPool({}, {})).toEqual({});
});
