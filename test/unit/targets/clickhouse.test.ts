import { describe, expect, it } from 'vitest';
import { deduplicationProblem } from '../../../lib/targets/clickhouse/deduplication.ts';
import { rowText } from '../../../lib/targets/clickhouse/row-serde.ts';
import { type ClickHouseSinkOptions, clickHouseSink } from '../../../lib/targets/clickhouse.ts';

describe('a row for ClickHouse', () => {
  it('keeps every digit of 64 bits and more, and writes dates as ISO 8601', () => {
    const row = { id: 18_446_744_073_709_551_615n, at: new Date(0), nested: { big: [2n ** 100n] }, note: null };
    expect(rowText(row)).toBe(
      '{"id":"18446744073709551615","at":"1970-01-01T00:00:00.000Z","nested":{"big":["1267650600228229401496703205376"]},"note":null}',
    );
  });

  it('without a value for a column leaves that column to its default', () => {
    expect(rowText({ a: 1, b: undefined })).toBe('{"a":1}');
  });

  it.each<[string, unknown, string]>([
    ['NaN', { price: Number.NaN }, 'column price holds NaN'],
    ['infinity deep inside', { at: { of: [1, Number.POSITIVE_INFINITY] } }, 'column at holds Infinity'],
    ['a date that is none', { at: new Date(Number.NaN) }, 'column at holds a Date that is none'],
    ['a Map', { tags: new Map([['a', 1]]) }, 'column tags holds a Map'],
    ['a Set', { tags: new Set([1]) }, 'column tags holds a Set'],
    ['bytes', { body: Buffer.from('a') }, 'column body holds a Buffer'],
    ['a function', { f: () => 1 }, 'column f holds a function'],
    ['no object', 'text', 'a row is a string'],
    ['an array', [1], 'a row is a Array'],
    ['null', null, 'a row is null'],
  ])('is refused that is or has %s', (_what, row, message) => {
    expect(() => rowText(row)).toThrow(message);
  });
});

describe('a sink for ClickHouse', () => {
  const right = { url: 'http://127.0.0.1:8123', table: 'orders' };

  it.each<[Partial<ClickHouseSinkOptions<object>>, RegExp]>([
    [{ url: 'clickhouse:9000' }, /url is "clickhouse:9000", and must be where the HTTP interface is/],
    [{ url: 'http://user:secret@host:8123' }, /url is/],
    [{ table: 'db.orders' }, /table is "db.orders", and must be a name of letters, digits and _ .* the database is an option of its own/],
    [{ database: 'a`; DROP' }, /database is/],
    [{ username: '' }, /username is empty/],
    [{ maxBatchRows: 0 }, /maxBatchRows/],
    [{ maxBatchRows: 1_000_001 }, /maxBatchRows/],
    [{ maxBatchBytes: 2 ** 27 }, /maxBatchBytes/],
    [{ settings: { async_insert: 1 } }, /settings has async_insert, which the sink sets itself/],
    [{ settings: { insert_deduplication_token: 'x' } }, /settings has insert_deduplication_token/],
    [{ toRow: 'id' as never }, /toRow is string/],
  ])('is refused with %j', (wrong, message) => {
    expect(() => clickHouseSink({ ...right, ...wrong })).toThrow(message);
  });
});

describe('a table', () => {
  const place = { url: '', database: 'db', table: 't', username: '', password: '' };
  const problemOf = (engine: string | undefined, definition: string, usual = '0') =>
    deduplicationProblem(async (query) => {
      if (query.includes('system.merge_tree_settings')) return [{ value: usual }];
      return engine === undefined ? [] : [{ engine, engine_full: definition }];
    }, place);

  it.each([
    ['MergeTree', 'MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192', '0'],
    ['ReplacingMergeTree', 'ReplacingMergeTree ORDER BY n', '100'],
    ['ReplicatedMergeTree', "ReplicatedMergeTree('/t', 'r') ORDER BY n", '10000'],
    ['SharedMergeTree', "SharedMergeTree('/t', 'r') ORDER BY n", '10000'],
  ])('%s that remembers inserts is taken', async (engine, definition, usual) => {
    expect(await problemOf(engine, definition, usual)).toBeUndefined();
  });

  it.each([
    [undefined, '', /ClickHouse has no table db\.t, or does not show it to this login: create it/],
    ['Log', 'Log', /table db\.t has the engine Log, which cannot tell .* MergeTree family/],
    ['Distributed', 'Distributed(c, db, t)', /engine Distributed/],
    ['MergeTree', 'MergeTree ORDER BY n', /ALTER TABLE db\.t MODIFY SETTING non_replicated_deduplication_window = 1000/],
    [
      'ReplicatedMergeTree',
      "ReplicatedMergeTree('/t', 'r') ORDER BY n SETTINGS replicated_deduplication_window = 0, non_replicated_deduplication_window = 5",
      /MODIFY SETTING replicated_deduplication_window = 1000/,
    ],
  ])('%s that cannot tell a repeat is refused, with what to do', async (engine, definition, message) => {
    const problem = await problemOf(engine, definition);
    expect(problem?.name).toBe('DeliveryRefusedError');
    expect(problem?.message).toMatch(message);
  });
});
