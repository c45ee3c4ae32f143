import { describe, expect, expectTypeOf, it, test } from 'vitest';
import {
  defineJob,
  float64,
  int64,
  JobDefinitionError,
  json,
  kafkaSink,
  kafkaSource,
  type Serde,
  structured,
  utf8,
  valueState,
  versioned,
} from '../../../lib/api/index.ts';
import { ByteWriter } from '../../../lib/format/byte-writer.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import { paneSerde } from '../../../lib/operators/kinds/window/panes.ts';
import { inputsSerde } from '../../../lib/operators/of-input.ts';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import type { StateDeclaration } from '../../../lib/state/columns/columns.ts';
import type { ListState } from '../../../lib/state/columns/list.ts';
import type { MapState } from '../../../lib/state/columns/map.ts';
import type { ValueState } from '../../../lib/state/columns/value.ts';
import { decodeHead } from '../../../lib/state/snapshot/head.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

interface Money {
  readonly cents: number;
  readonly currency: string;
}
const inEuro = (cents: number): Money => ({ cents, currency: 'EUR' });
const asAny = (serde: Serde<never> | Serde<unknown>) => serde as Serde<unknown>;
const money = asAny(versioned({ version: 2, serde: json<Money>(), older: { 1: { serde: int64, migrate: inEuro } } }));
/** In which names were numbers. */
const name = asAny(
  versioned({
    version: 3,
    serde: utf8,
    older: { 2: { serde: utf8, migrate: (text) => text.toUpperCase() }, 1: { serde: int64, migrate: (n) => `N${n}` } },
  }),
);
const name2 = asAny(versioned({ version: 2, serde: utf8 }));

type States = readonly StateDeclaration[];
const total = (serde: Serde<unknown>, ttlMs?: number): StateDeclaration => ({
  ...{ kind: 'value', name: 'total', serdes: [serde], initial: undefined },
  ...(ttlMs !== undefined && { ttl: { ttlMs, refreshOn: 'write' } }),
});
const list = (serde: Serde<unknown>): StateDeclaration => ({ kind: 'list', name: 'list', serdes: [serde] });
const map = (key: Serde<unknown>, value: Serde<unknown>): StateDeclaration => ({ kind: 'map', name: 'map', serdes: [key, value] });

const before: States = [total(asAny(int64)), list(asAny(int64)), map(asAny(int64), asAny(int64))];
const after: States = [total(money), list(money), map(name, money)];

function open(states: States, payloads: readonly Buffer[] = []) {
  const clock = { processingMs: 1_000 };
  const set = new StateSet({ uid: 'op', states, maxParallelism: 8, keyGroups: { first: 0, last: 7 }, clock });
  set.load(payloads);
  const of = (key: string) => {
    const bytes = Buffer.from(key);
    set.keys.current = set.keys.numberOf(bytes, 0, bytes.length, murmur2(bytes, 0, bytes.length));
    return set.handles as {
      readonly total: ValueState<unknown>;
      readonly list: ListState<unknown>;
      readonly map: MapState<unknown, unknown>;
    };
  };
  return { set, of, clock, read: (key: string) => set.read(Buffer.from(key), murmur2(Buffer.from(key), 0, key.length)) };
}

const joined = (parts: readonly Buffer[]) => Buffer.concat(parts);
const serdesIn = (payload: Buffer) => decodeHead(payload, 'it').head.states.map(({ serdes }) => serdes.join(', '));

/** A base and a delta of a build before versions. */
function written() {
  const { set, of } = open(before);
  for (const key of ['a', 'b']) {
    of(key).total.set(1);
    for (const n of [1, 2, 3]) of(key).list.add(n);
    for (const n of [1, 2, 3]) of(key).map.set(n, n);
  }
  const base = joined(set.takeBase());
  of('a').total.set(10);
  of('a').list.set(1, 20);
  of('a').list.add(4);
  of('a').map.delete(2);
  of('a').map.set(3, 30);
  return [base, joined(set.takeDelta())] as const;
}

const euros = (...cents: number[]) => cents.map(inEuro);

describe('state that was written in an earlier version', () => {
  it('is read in base and deltas, migrated, and what is written of it says the version of now', () => {
    const { set, of, read } = open(after, written());
    expect(read('a')).toEqual({
      total: inEuro(10),
      list: euros(1, 20, 3, 4),
      map: new Map([
        ['N1', inEuro(1)],
        ['N3', inEuro(30)],
      ]),
    });
    expect(set.changed()).toBe(false);
    of('b').total.set({ cents: 7, currency: 'CHF' });
    const delta = joined(set.takeDelta());
    expect(serdesIn(delta)).toEqual(['json@2', 'json@2', 'utf8@3, json@2']);
    expect(serdesIn(joined(set.takeBase()))).toEqual(['json@2', 'json@2', 'utf8@3, json@2']);
  });

  it('goes on in deltas of the version of now, entry by entry, on top of a base of before: each blob is read as what it says it is', () => {
    const first = open(after, written());
    const { total: value, list: entries, map: held } = first.of('a');
    value.set({ cents: 11, currency: 'CHF' });
    entries.set(0, { cents: 5, currency: 'CHF' });
    entries.add({ cents: 6, currency: 'CHF' });
    held.delete('N1');
    held.set('X', { cents: 9, currency: 'CHF' });
    const expected = first.read('a');
    const third = joined(first.set.takeDelta());
    const again = open(after, [...written(), third]);
    expect(again.read('a')).toEqual(expected);
    expect(again.read('b')).toEqual(first.read('b'));
    // And written anew as a whole it is the same.
    expect(open(after, [joined(again.set.takeBase())]).read('a')).toEqual(expected);
  });

  it('may have passed several versions, and each is read by what it was', () => {
    const second = open([total(asAny(int64)), list(asAny(int64)), map(name2, asAny(int64))]);
    second.of('a').map.set('low', 1);
    const held = open(after, [joined(second.set.takeBase())]).read('a');
    expect(held.map).toEqual(new Map([['LOW', inEuro(1)]]));
  });

  it('is as old as it was, where it expires', () => {
    const old = open([total(asAny(int64), 500)]);
    old.of('a').total.set(3);
    const now = open([total(money, 500)], [joined(old.set.takeBase())]);
    now.clock.processingMs = 1_499;
    expect(now.read('a').total).toEqual(inEuro(3));
    now.clock.processingMs = 1_500;
    expect(now.read('a').total).toBeUndefined();
  });

  it('is kept as a number where it is one', () => {
    const thousands = asAny(versioned({ version: 2, serde: float64, older: { 1: { serde: int64, migrate: (n) => n / 1000 } } }));
    const { read, of } = open([total(thousands)], [joined(open0(1_500).takeBase())]);
    expect(read('a').total).toBe(1.5);
    expect(of('a').total.update((n) => Number(n) + 1)).toBe(2.5);
  });
});

function open0(value: number): StateSet {
  const { set, of } = open([total(asAny(int64))]);
  of('a').total.set(value);
  return set;
}

describe('what cannot be read is refused', () => {
  const withoutOlder = asAny(versioned({ version: 2, serde: json<Money>() }));

  it.each<[string, Serde<unknown>, RegExp]>([
    ['a version that is not among those of before', withoutOlder, /state total had serde int64 and has now json@2: say how that is read/],
    ['a plain serde of another name', asAny(utf8), /state total had serde int64 and has now utf8/],
    [
      'what migrate throws at',
      asAny(
        versioned({
          version: 2,
          serde: utf8,
          older: {
            1: {
              serde: int64,
              migrate: (n) => {
                throw new Error(`no ${n}`);
              },
            },
          },
        }),
      ),
      /state total has a value that was written by serde int64 and cannot be made one of utf8@2: no 5/,
    ],
    [
      'what migrate makes nothing of',
      asAny(versioned({ version: 2, serde: utf8, older: { 1: { serde: int64, migrate: () => undefined as never } } })),
      /migrate returned undefined/,
    ],
  ])('%s', (_, serde, message) => {
    const payload = joined(open0(5).takeBase());
    expect(() => open([total(serde)], [payload])).toThrow(MalformedError);
    expect(() => open([total(serde)], [payload])).toThrow(message);
  });

  it('a later version, by a build that has an earlier one', () => {
    const { set, of } = open([total(money)]);
    of('a').total.set(inEuro(1));
    const payload = joined(set.takeBase());
    expect(() => open([total(asAny(json()))], [payload])).toThrow('state total had serde json@2 and has now json');
  });

  it('keys of entries of which two become one', () => {
    const halved = asAny(versioned({ version: 2, serde: int64, older: { 1: { serde: int64, migrate: (n) => Math.floor(n / 2) } } }));
    const states = [total(asAny(int64)), list(asAny(int64)), map(halved, asAny(int64))];
    expect(() => open(states, [written()[0]])).toThrow('has a map of 3 entries, of which 1 have the keys of others by now');
  });
});

test('serdes that are made of one with versions have its versions', () => {
  expect(paneSerde(money, false).older?.map((form) => form.name)).toEqual(['pane of int64']);
  const out = new ByteWriter();
  const pane = { count: 2, earlyAtMs: undefined, wasGiven: false, firstMs: 0, lastMs: 0, accumulator: 7 };
  paneSerde(asAny(int64), false).write(pane, out);
  const bytes = Buffer.from(out.view());
  expect(paneSerde(money, false).older?.[0]?.read(bytes, 0, bytes.length)).toEqual({ ...pane, accumulator: inEuro(7) });
  const two = inputsSerde([
    { name: 'left', value: money },
    { name: 'right', value: name },
  ]);
  expect(two.older?.map((form) => form.name)).toEqual([
    'one of (left json@2, right int64)',
    'one of (left json@2, right utf8@2)',
    'one of (left int64, right utf8@3)',
    'one of (left int64, right int64)',
    'one of (left int64, right utf8@2)',
  ]);
  expect(
    inputsSerde([
      { name: 'left', value: asAny(utf8) },
      { name: 'right', value: asAny(utf8) },
    ]).older,
  ).toBeUndefined();
});

describe('versions of a serde', () => {
  it('have the types of what they were', () => {
    const made = versioned({
      version: 3,
      serde: json<Money>(),
      older: { 1: { serde: int64, migrate: inEuro }, 2: { serde: json<{ cents: number }>(), migrate: ({ cents }) => inEuro(cents) } },
    });
    expectTypeOf(made).toEqualTypeOf<Serde<Money>>();
    expect([made.name, versioned({ version: 1, serde: utf8 }).name]).toEqual(['json@3', 'utf8']);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['a version of no number', () => versioned({ version: 0, serde: utf8 }), /version is 0, and must be a whole number, 1 at least/],
    [
      'one of before that is not',
      () => versioned({ version: 2, serde: utf8, older: { 2: { serde: utf8, migrate: String } } }),
      /must be an earlier one/,
    ],
    [
      'one that is no number',
      () => versioned({ version: 2, serde: utf8, older: { x: { serde: utf8, migrate: String } } as never }),
      /the version "x" in older/,
    ],
    ['no serde', () => versioned({ version: 2, serde: undefined as never }), /the serde of version 2 is none/],
    [
      'no migrate',
      () => versioned({ version: 2, serde: utf8, older: { 1: { serde: utf8 } as never } }),
      /version 1 in older has no migrate/,
    ],
    ['versions of versions', () => versioned({ version: 2, serde: money }), /is named json@2, as if it had a version itself/],
  ])('are refused with %s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  it('are not for topics', () => {
    const topic = (value: Serde<unknown>) => () => defineJob('job', (job) => void job.source('read', kafkaSource({ topic: 't', value })));
    expect(topic(money)).toThrow(JobDefinitionError);
    expect(topic(money)).toThrow(/value of source read: serde json@2 has versions, which are for state/);
    const written = () =>
      defineJob('job', (job) =>
        job.source('read', kafkaSource({ topic: 't', value: structured })).sink('write', kafkaSink({ topic: 'u', value: money })),
      );
    expect(written).toThrow(/value of sink write: serde json@2 has versions/);
    expect(() => valueState(money).declare('s', 'state s')).not.toThrow();
  });
});
