import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  aggregatingState,
  customSerde,
  defineJob,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';

interface Order {
  readonly shop: string;
  readonly price: number;
}

const orders = kafkaSource({
  topic: 'orders',
  key: utf8,
  value: json<Order>(),
  select: ({ key = 'nobody', value }) => ({ customer: key, shop: value?.shop ?? 'nowhere', price: value?.price ?? 0 }),
});
const totals = kafkaSink({
  topic: 'totals',
  key: utf8,
  value: int64,
  toRecord: ({ shop, total }: { readonly shop: string; readonly total: number }) => ({
    key: shop,
    value: total,
    headers: [{ key: 'kind', value: Buffer.from('total') }],
  }),
});

const job = defineJob('totals', (builder) => {
  builder
    .source('read', orders)
    .keyBy(({ shop }) => shop, utf8)
    .process('add', {
      state: {
        total: valueState(int64, 0),
        prices: listState(int64),
        byCustomer: mapState(utf8, int64),
        highest: reducingState(int64, Math.max),
        mean: aggregatingState(json<{ sum: number; n: number }>(), {
          initial: { sum: 0, n: 0 },
          add: ({ sum, n }, price: number) => ({ sum: sum + price, n: n + 1 }),
          result: ({ sum, n }) => sum / n,
        }),
      },
      onRecord({ shop, customer, price }, { total, prices, byCustomer, highest, mean }, out: Output<{ shop: string; total: number }>) {
        prices.add(price);
        byCustomer.set(customer, price);
        highest.add(price);
        mean.add(price);
        out.emit({ shop, total: total.update((sum) => sum + price) });
      },
    })
    .sink('write', totals);
});

const order = (shop: string, price: number): Order => ({ shop, price });

describe('input', () => {
  test('goes through the serdes of the source, and is what its types say', async () => {
    const run = testJob(job);
    run.push(orders, order('a', 1));
    run.pushRecords(orders, { key: 'me', value: order('a', 2) }, { key: 'you', value: undefined });
    // @ts-expect-error -- a number is no order
    expect(() => run.push(orders, 5n)).toThrow(TypeError);
    // @ts-expect-error -- a key is text
    expect(() => run.pushRecords(orders, { key: 5, value: order('a', 2) })).toThrow(TypeError);
    expect(await run.runEpoch()).toMatchObject({ recordsIn: 3, recordsOut: 3 });
  });

  test('is named by source, uid or topic, and by nothing else', async () => {
    const run = testJob(job);
    run.push(orders, order('a', 1));
    run.push('read', order('a', 2));
    run.push('orders', order('a', 3));
    expect(await run.runEpoch()).toMatchObject({ recordsIn: 3 });
    expect(() => run.push('writes', 1)).toThrow(/no source writes; it has read \(topic orders\)/);
    expect(() => run.push(kafkaSource({ topic: 'orders', value: utf8 }), 'x')).toThrow(/no source of topic orders with these serdes/);
  });

  test('of one key is in one partition, and where a record says', async () => {
    const seen: unknown[] = [];
    const where = kafkaSource({
      topic: 'in',
      key: utf8,
      value: utf8,
      select: ({ partition, offset, timestamp, headers, value }) => ({ partition, offset, timestamp, header: headers[0]?.key, value }),
    });
    const run = testJob(
      defineJob('where', (builder) => {
        builder
          .source('read', where)
          .map((record) => {
            seen.push(record);
            return 'x';
          })
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
      { partitions: { in: 4 }, startMs: 77 },
    );
    run.pushRecords(
      where,
      { key: 'k', value: '1' },
      { key: 'k', value: '2' },
      { value: '3', partition: 3, timestamp: 5, headers: [{ key: 'h', value: undefined }] },
    );
    await run.runEpoch();
    const [first, second, third] = (seen as { partition: number; value: string }[]).toSorted((one, other) =>
      one.value < other.value ? -1 : 1,
    );
    expect(first).toMatchObject({ offset: 0, timestamp: 77, value: '1' });
    expect(second).toEqual({ ...first, offset: 1, value: '2' });
    expect(third).toMatchObject({ partition: 3, timestamp: 5, header: 'h', value: '3' });
    expect(() => run.pushRecords(where, { value: '4', partition: 4 })).toThrow(/partitions 0 to 3, and no 4/);
  });
});

describe('output', () => {
  test('is read by the serdes of the sink, with key, headers, timestamp and partition', async () => {
    const run = testJob(job, { partitions: { totals: 3 } });
    run.pushRecords(
      orders,
      { value: order('a', 1), timestamp: 10 },
      { value: order('b', 2), timestamp: 20 },
      { value: order('a', 3), timestamp: 30 },
    );
    await run.runEpoch();
    const output = run.output(totals);
    expectTypeOf(output[0]?.value).toEqualTypeOf<number | undefined>();
    expectTypeOf(output[0]?.key).toEqualTypeOf<string | undefined>();
    expect(output.filter(({ key }) => key === 'a').map(({ value, timestamp }) => [value, timestamp])).toEqual([
      [1, 10],
      [4, 30],
    ]);
    expect(new Set(output.filter(({ key }) => key === 'a').map(({ partition }) => partition)).size).toBe(1);
    expect(output[0]?.headers).toEqual([{ key: 'kind', value: Buffer.from('total') }]);
    expect(run.values('write').toSorted()).toEqual([1, 2, 4]);
    expect(() => run.output('read')).toThrow(/no sink read/);
  });

  test('that its serde does not read comes as bytes', async () => {
    const writeOnly = customSerde<string>({
      name: 'write-only',
      serialize: (text) => Buffer.from(text),
      deserialize: () => {
        throw new Error('never read');
      },
    });
    const run = testJob(
      defineJob('bytes', (builder) => {
        builder.source('read', kafkaSource({ topic: 'in', value: utf8 })).sink('write', kafkaSink({ topic: 'out', value: writeOnly }));
      }),
    );
    run.push('read', 'hi');
    await run.runEpoch();
    expect(run.values('write')).toEqual([Buffer.from('hi')]);
  });
});

test('state is what each kind holds of the key, or what a key without state reads', async () => {
  const run = testJob(job, { parallelism: 3 });
  run.pushRecords(orders, { key: 'me', value: order('a', 1) }, { key: 'you', value: order('a', 5) }, { key: 'me', value: order('b', 9) });
  await run.runEpoch();
  expect(await run.state('add', 'a')).toEqual({
    total: 6,
    prices: [1, 5],
    byCustomer: new Map([
      ['me', 1],
      ['you', 5],
    ]),
    highest: 5,
    mean: { sum: 6, n: 2 },
  });
  expect(await run.state('add', 'nowhere')).toEqual({ total: 0, prices: [], byCustomer: new Map(), highest: undefined, mean: undefined });
  await expect(run.state('write', 'a')).rejects.toThrow(/no keyed operator write/);
});

describe('epochs', () => {
  test('have as many records as the test says', async () => {
    const run = testJob(job, { partitions: { orders: 2 } });
    run.push(orders, ...Array.from({ length: 7 }, (_, at) => order('a', at)));
    expect(await run.runEpoch({ maxRecords: 3 })).toMatchObject({ epoch: 1, recordsIn: 3 });
    expect((await run.runUntilIdle({ maxRecords: 2 })).map(({ recordsIn }) => recordsIn)).toEqual([2, 2]);
    await expect(run.runEpoch({ maxRecords: 0 })).rejects.toThrow(RangeError);
  });

  test('are begun again after a crash, which leaves no output and no state', async () => {
    const run = testJob(job);
    run.push(orders, order('a', 1), order('a', 2));
    for (const before of ['decision', 'read', 'add', 'write']) await run.crash({ before });
    expect(run.epoch).toBe(0);
    expect(run.output('write')).toEqual([]);
    expect(await run.state('add', 'a')).toMatchObject({ total: 0 });
    expect(await run.runEpoch()).toMatchObject({ epoch: 1, recordsIn: 2 });
    expect(run.values('write')).toEqual([1, 3]);
    await expect(run.crash({ before: 'nothing' })).rejects.toThrow(/no nothing to crash before: there are decision, read, add, write/);
  });

  test('go on at another parallelism from the snapshots of before', async () => {
    const run = testJob(job, { parallelism: 1 });
    const shops = Array.from({ length: 20 }, (_, at) => `shop-${at}`);
    for (const parallelism of [1, 3, { add: 2 }, 5, 1]) {
      run.restore({ parallelism });
      run.push(orders, ...shops.map((shop) => order(shop, 1)));
      await run.runEpoch();
    }
    for (const shop of shops) expect(await run.state('add', shop)).toMatchObject({ total: 5 });
    run.restore({ parallelism: { nobody: 2 } });
    await expect(run.runEpoch()).rejects.toThrow(/no stage nobody; its stages are read, add, write/);
    run.restore({ parallelism: 129 });
    await expect(run.runEpoch()).rejects.toThrow(/parallelism of stage read is 129, and must be 1 to 128/);
  });

  test('go on from any that was completed, without a trace in the others', async () => {
    const run = testJob(job);
    for (const price of [1, 2, 3]) {
      run.push(orders, order('a', price));
      await run.runEpoch();
    }
    const other = run.fork({ epoch: 1, parallelism: 2 });
    expect(other.epoch).toBe(1);
    expect(other.values('write')).toEqual([1]);
    other.push(orders, order('a', 10));
    expect(await other.runEpoch()).toMatchObject({ epoch: 2, recordsIn: 3 });
    expect(other.values('write')).toEqual([1, 3, 6, 16]);
    expect(await run.runEpoch()).toBeUndefined();
    expect(run.values('write')).toEqual([1, 3, 6]);
    expect(await run.state('add', 'a')).toMatchObject({ total: 6 });
    expect(() => run.fork({ epoch: 4 })).toThrow(/no epoch 4: the last is 3/);
  });
});
