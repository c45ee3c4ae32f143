import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type BroadcastStream,
  connect,
  type DataStream,
  defineJob,
  float64,
  int64,
  type JobBuilder,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  mapState,
  type OrderedStream,
  type Output,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';

interface Order {
  readonly id: string;
  readonly total: number;
}
interface Payment {
  readonly order: string;
  readonly amount: number;
}
interface Limit {
  readonly country: string;
  readonly most: number;
}

const eventTime = { maxOutOfOrdernessMs: 0 };
const ordersOf = (job: JobBuilder) => job.source('orders', kafkaSource({ topic: 'orders', value: json<Order>(), eventTime }));
const paymentsOf = (job: JobBuilder) => job.source('payments', kafkaSource({ topic: 'payments', value: json<Payment>(), eventTime }));
const limitsOf = (job: JobBuilder) => job.source('limits', kafkaSource({ topic: 'limits', value: json<Limit>() }));
const byId = (orders: DataStream<Order>) => orders.keyBy(({ id }) => id, utf8);
const byOrder = (payments: DataStream<Payment>) => payments.keyBy(({ order }) => order, utf8);

test('what the functions of connected streams are given and emit has its type', () => {
  defineJob('typed', (job) => {
    const inputs = { orders: byId(ordersOf(job)), payments: byOrder(paymentsOf(job)), limits: limitsOf(job).broadcast() };
    expectTypeOf(inputs.limits).toEqualTypeOf<BroadcastStream<Limit>>();
    const made = connect(inputs).process('match', {
      state: { order: valueState(json<Order>()) },
      broadcastState: { limit: mapState(utf8, float64), told: valueState(int64, 0) },
      on: {
        orders(order, state) {
          expectTypeOf(order).toEqualTypeOf<Order>();
          state.order.set(order);
        },
        payments({ amount }, { order, limit, told }, out: Output<string>, { key }) {
          expectTypeOf(key).toEqualTypeOf<string>();
          expectTypeOf(limit.get('x')).toEqualTypeOf<number | undefined>();
          // @ts-expect-error -- by key it is read only
          limit.set('x', 1);
          // @ts-expect-error -- by key it is read only
          told.update((n) => n + 1);
          out.emit(`${key} ${amount} ${order.get()?.total}`);
        },
        limits({ country, most }, { limit, told }, { timestamp }) {
          expectTypeOf(timestamp).toEqualTypeOf<number>();
          limit.set(country, most);
          told.update((n) => n + 1);
        },
      },
      onTimer({ timeMs }, { order }, out: Output<number>) {
        out.emit(timeMs + (order.get()?.total ?? 0));
      },
    });
    expectTypeOf(made).toEqualTypeOf<DataStream<string | number>>();
    // @ts-expect-error -- numbers do not fit a sink of strings
    made.sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
});

test('in order of time what came late is of any of the streams', () => {
  defineJob('late', (job) => {
    const made = connect({ orders: byId(ordersOf(job)), payments: byOrder(paymentsOf(job)) }).process('match', {
      inTimeOrder: true,
      on: {
        orders({ id }, _, out: Output<string>) {
          out.emit(id);
        },
        payments() {},
      },
    });
    expectTypeOf(made).toEqualTypeOf<OrderedStream<string, Order | Payment>>();
  });
});

test('what is emitted has no type unless `out` names it', () => {
  defineJob('untyped', (job) => {
    connect({ orders: byId(ordersOf(job)), limits: limitsOf(job).broadcast() }).process('match', {
      on: {
        orders({ id }, _, out) {
          // @ts-expect-error -- nothing can be emitted
          out.emit(id);
        },
        limits() {},
      },
    });
  });
});

test('the plan has an edge to every subtask, ahead of those by key', () => {
  const job = defineJob('plan', (builder) => {
    const orders = byId(ordersOf(builder));
    connect({ orders, limits: limitsOf(builder).broadcast({ value: json() }) })
      .process('check', { broadcastState: { limit: mapState(utf8, float64) }, on: { orders() {}, limits() {} } })
      .sink('out', kafkaSink({ topic: 'out', value: json() }));
  });
  const { stages, edges } = compilePlan(job);
  expect(edges.map(({ id, how, withOrigins }) => [id, how, withOrigins])).toEqual([
    ['limits>check.1', 'broadcast', true],
    ['orders>check.0', 'key', undefined],
    ['check>out.0', 'sink', undefined],
  ]);
  expect(stages.find(({ id }) => id === 'check')).toEqual({
    kind: 'operator',
    id: 'check',
    operators: ['check'],
    broadcastStates: ['check.broadcast'],
  });
  expect(describeGraph(job).nodes).toContainEqual({
    id: 4,
    kind: 'process',
    uid: 'check',
    key: 'utf8',
    states: [],
    broadcastStates: [{ name: 'limit', kind: 'map', serdes: ['utf8', 'float64'] }],
  });
});

test('what a source without event time broadcasts is no matter to what works by event time', () => {
  const job = defineJob('timeless', (builder) => {
    connect({ orders: byId(ordersOf(builder)), limits: limitsOf(builder).broadcast() }).process('check', {
      on: {
        orders(_order, _state, _out, { timestamp, timers }) {
          timers.setEventTime(timestamp);
        },
        limits() {},
      },
      onTimer() {},
    });
  });
  expect(compilePlan(job).stages.find(({ id }) => id === 'check')).toMatchObject({ usesTime: true });
});

describe('a job is refused', () => {
  const none = { orders() {}, payments() {}, limits() {} };
  const define = (build: (job: JobBuilder) => unknown) => () => defineJob('odd', (job) => void build(job));
  const stream = (given: unknown) => given as KeyedStream<string, unknown>;

  test.each<[string, (job: JobBuilder) => unknown, string]>([
    ['no stream', () => connect({}), 'connect is given no stream'],
    [
      'a stream that is neither keyed nor broadcast',
      (job) => connect({ orders: stream(ordersOf(job)) }),
      'job odd: connect: orders is neither keyed nor broadcast: give it stream.keyBy(…) or stream.broadcast()',
    ],
    ['what is no stream', () => connect({ orders: stream('orders') }), 'connect: orders is neither keyed nor broadcast'],
    [
      'what is broadcast alone',
      (job) => connect({ limits: limitsOf(job).broadcast() }),
      'job odd: connect is given no stream by key beside those that are broadcast',
    ],
    [
      'a stream under two names',
      (job) => {
        const orders = byId(ordersOf(job));
        return connect({ one: orders, other: orders });
      },
      'job odd: connect: other is given under two names',
    ],
    [
      'a function for no input',
      (job) => connect({ orders: byId(ordersOf(job)) }).process('check', { on: none as never }),
      'job odd: check: on.payments is for no input: those are orders',
    ],
    [
      'an input without a function',
      (job) =>
        connect({ orders: byId(ordersOf(job)), payments: byOrder(paymentsOf(job)) }).process('check', { on: { orders() {} } as never }),
      'job odd: the function of check: on.payments is undefined, not a function',
    ],
    [
      'an async function',
      (job) => connect({ orders: byId(ordersOf(job)) }).process('check', { on: { orders: async () => {} } }),
      'job odd: the function of check: on.orders is async',
    ],
    [
      'broadcast state of nothing',
      (job) =>
        connect({ orders: byId(ordersOf(job)) }).process('check', { broadcastState: { n: valueState(int64, 0) }, on: { orders() {} } }),
      'job odd: check: has broadcastState, and none of its streams is broadcast',
    ],
    [
      'broadcast state with a time to live',
      (job) =>
        connect({ orders: byId(ordersOf(job)), limits: limitsOf(job).broadcast() }).process('check', {
          broadcastState: { n: withTtl(valueState(int64, 0), { ttlMs: 1 }) },
          on: { orders() {}, limits() {} },
        }),
      'job odd: broadcast state n of check has a time to live, and broadcast state has none: take withTtl out',
    ],
    [
      'two states of one name',
      (job) =>
        connect({ orders: byId(ordersOf(job)), limits: limitsOf(job).broadcast() }).process('check', {
          state: { n: valueState(int64, 0) },
          broadcastState: { n: valueState(int64, 0) },
          on: { orders() {}, limits() {} },
        }),
      'job odd: broadcast state n of check: check has a state of that name by key; give one of them another',
    ],
    [
      'what is broadcast in order of time',
      (job) =>
        connect({ orders: byId(ordersOf(job)), limits: limitsOf(job).broadcast() }).process('check', {
          inTimeOrder: true,
          on: { orders() {}, limits() {} },
        }),
      'job odd: check: is inTimeOrder, and what is broadcast to it has no place in that order',
    ],
    [
      'keys of two serdes',
      (job) =>
        connect({ orders: byId(ordersOf(job)), payments: paymentsOf(job).keyBy(({ amount }) => amount, float64) }).process('check', {
          on: { orders() {}, payments() {} },
        }),
      'job odd: stage check is reached by keys of serde utf8 and of serde float64; the keys of one stage have one serde',
    ],
    [
      'an operator that waits for what is made of its own output',
      (job) => {
        const orders = byId(ordersOf(job));
        const again = orders.reduce('largest', (one, other) => (one.total > other.total ? one : other), json<Order>());
        return connect({ orders, again: byId(again) }).process('check', { on: { orders() {}, again() {} } });
      },
      'job odd: stage largest would wait for what is made of its own output: operators behind one keyBy run together; give the one that reads what the other makes a keyBy of its own',
    ],
    [
      'a stream that is put together with itself',
      (job) => {
        const orders = ordersOf(job);
        return orders.union(orders);
      },
      'job odd: union is given a stream twice',
    ],
    [
      'what is no stream of the job in a union',
      (job) => ordersOf(job).union({} as never),
      'job odd: union: stream 1 is not a stream of this job',
    ],
  ])('%s', (_, build, message) => {
    expect(define(build)).toThrow(message);
  });

  test('a stream of another job', () => {
    let other: KeyedStream<string, Order> | undefined;
    defineJob('other', (job) => {
      other = byId(ordersOf(job));
      other.sum('sum', ({ total }) => total);
    });
    expect(define((job) => connect({ payments: byOrder(paymentsOf(job)), orders: other as KeyedStream<string, Order> }))).toThrow(
      'job odd: connect: orders is a stream of job other',
    );
  });
});
