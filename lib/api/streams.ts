import type { Serde } from '../format/serde.ts';
import type { AsyncCall, KeyedContext, NoSideOutputs, Output, Timer } from '../graph/job.ts';
import type { WindowContext, WindowProcessContext } from '../graph/windows.ts';
import type { IntervalJoin, LeftIntervalJoin } from './joins/interval-join.ts';
import type { FullTablesJoin, LeftTablesJoin, TableChange, TablesJoin } from './joins/join-tables.ts';
import type { LeftVersionJoin, VersionJoin } from './joins/version-joins.ts';
import type { FullWindowJoin, LeftWindowJoin, RightWindowJoin, WindowJoin } from './joins/window-join.ts';
import type { MapAsyncOptions } from './map-async.ts';
import type { DistinctCountOptions, KeyCount } from './shapes/distinct-count.ts';
import type { RankChange, RunningTopN, TopN, TopNOptions, WindowTop } from './shapes/top-n.ts';
import type { SideOutputSpecs, SideOutputs, SideOutputValue } from './side-outputs.ts';
import type { Sink } from './sinks.ts';
import type { StateHandles, StateSpecs } from './state.ts';
import type { Uid } from './uid.ts';
import type { CountWindows, TimeWindows, WindowAggregate, WindowOptions, WindowResult } from './windows.ts';

/**
 * Values that flow from one operator to the next. A stream may have several consumers; each sees every value.
 *
 * Functions run once for each value, in order, and return their result at once: no promises, but for `mapAsync`. What they throw fails the
 * attempt at the epoch: nothing of it is seen, and the epoch is tried again.
 *
 * A function may change its value in place: no other branch of the stream, and no state, sees that. Where a stream parts, and
 * behind a keyed operator, values are copied: plain objects, arrays, Maps, Sets, dates and bytes, with all that is in them.
 * Objects of a class of your own are shared: give a new one instead of changing it.
 */
export interface DataStream<T> {
  /**
   * Makes one value of each.
   *
   * @example
   * orders.map(({ id, total }) => `${id}: ${total}`);
   */
  map<U>(fn: (value: T) => U): DataStream<U>;
  /**
   * Passes on the values for which `fn` answers true. A type guard says what type they have.
   *
   * @example
   * orders.filter(({ total }) => total > 0);
   */
  filter<U extends T>(fn: (value: T) => value is U): DataStream<U>;
  filter(fn: (value: T) => boolean): DataStream<T>;
  /**
   * Zero or more values for each: an array, or any iterable (a generator).
   *
   * @example
   * lines.flatMap((line) => line.split(' '));
   */
  flatMap<U>(fn: (value: T) => Iterable<U>): DataStream<U>;
  /**
   * As `map`, by a function that is waited for: one that asks another service, say. Up to `capacity` values are waited for at once, and go
   * on in their order when all are answered that were read together. It runs before the epoch is decided, and again for each attempt at it:
   * what it does elsewhere may be done several times. One that does not answer within `timeoutMs`, or rejects, has failed at its value as
   * any function that throws. `call.signal` aborts what is of no use any more.
   *
   * @example
   * orders.mapAsync(async (order, { signal }) => ({ ...order, rate: await rateOf(order.currency, signal) }), { timeoutMs: 2_000 });
   */
  mapAsync<U>(fn: (value: T, call: AsyncCall) => PromiseLike<U>, options?: MapAsyncOptions): DataStream<U>;
  /**
   * The values of this stream and of the others, as one. Of an epoch those of one stage come before those of the next, each in its own
   * order.
   *
   * @example
   * web.union(shops, phone).keyBy(({ customer }) => customer, utf8);
   */
  union<U>(...others: readonly DataStream<U>[]): DataStream<T | U>;
  /**
   * The stream for an operator that has all of it in each of its subtasks, whatever their keys: `connect` takes it.
   *
   * @example
   * connect({ payments: payments.keyBy(({ card }) => card, utf8), rules: rules.broadcast() });
   */
  broadcast(options?: BroadcastOptions<T>): BroadcastStream<T>;
  /**
   * Brings the values of one key together, in order of arrival. The key's bytes decide where: its encoding may not
   * change while there is state.
   *
   * @example
   * orders.keyBy((order) => order.customer, utf8);
   * @example
   * orders.keyBy(({ customer, day }) => [customer, day], json<readonly [customer: string, day: string]>());
   */
  keyBy<const K>(selector: (value: T) => K, key: Serde<K>, options?: KeyByOptions<T>): KeyedStream<K, T>;
  /**
   * Writes the stream to Kafka, or to what else a sink is made for. `uid` names what it writes, its transactions for instance: 1 to 60
   * of a-z 0-9 -, unique in the job.
   *
   * @example
   * words.sink('write-words', kafkaSink({ topic: 'words', value: utf8 }));
   */
  sink(uid: string, sink: Sink<T>): void;
}

/** How values cross to a keyed operator. */
export interface KeyByOptions<T> {
  /**
   * How values that are not the key itself cross to the keyed operator.
   * @default structured
   */
  readonly value?: Serde<NoInfer<T>>;
}

/** How a stream is broadcast. */
export interface BroadcastOptions<T> {
  /**
   * How values cross to the operator.
   * @default structured
   */
  readonly value?: Serde<NoInfer<T>>;
}

/** A stream that reaches every subtask of the operator that it is connected to. */
export interface BroadcastStream<T> {
  /** Always: it is told from other streams by it. */
  readonly isBroadcast: true;
  /** How its values cross. */
  readonly value: Serde<T>;
}

/** A stream whose values are brought together by key. */
export interface KeyedStream<K, T> {
  /**
   * Runs `onRecord` for each value, with the state of its key. `uid` names the state in snapshots.
   *
   * What type the operator emits is said by the type of `out`: without it nothing can be emitted. `onTimer` may say its own.
   *
   * @example
   * words
   *   .keyBy((word) => word, utf8)
   *   .process('count-words', {
   *     state: { count: valueState(int64, 0) },
   *     onRecord(word, { count }, out: Output<string>) {
   *       out.emit(`${word}: ${count.update((n) => n + 1)}`);
   *     },
   *   });
   */
  process<S extends StateSpecs = Record<never, never>, R = never, Q = R, O extends SideOutputSpecs = NoSideOutputs>(
    uid: Uid,
    operator: KeyedOperator<K, T, S, R, Q, O> & { readonly inTimeOrder: true },
  ): WithSideOutputs<OrderedStream<R | Q, T>, O>;
  process<S extends StateSpecs = Record<never, never>, R = never, Q = R, O extends SideOutputSpecs = NoSideOutputs>(
    uid: Uid,
    operator: KeyedOperator<K, T, S, R, Q, O>,
  ): WithSideOutputs<DataStream<R | Q>, O>;
  /**
   * Folds the values of a key into one of the same type and emits it for each: the first value of a key as it is, then
   * `fn(last result, value)`.
   *
   * @example
   * bids.keyBy(({ auction }) => auction, int64).reduce('highest', (one, other) => (other.price > one.price ? other : one), json<Bid>());
   */
  reduce(uid: Uid, fn: (accumulated: T, value: T) => T, serde: Serde<NoInfer<T>>): DataStream<T>;
  /**
   * Sums what `selector` gives (as float64: whole numbers are exact up to 2^53) and emits the sum so far for each value. What
   * is no number, NaN included, is an error of the selector.
   *
   * @example
   * orders.keyBy(({ customer }) => customer, utf8).sum('spent', ({ total }) => total);
   */
  sum(uid: Uid, selector: (value: T) => number): DataStream<KeySum<K>>;
  /**
   * Joins values of this stream, the left one, with those of another that lie in an interval of time around it: `left.timestamp +
   * lowerBoundMs <= right.timestamp <= left.timestamp + upperBoundMs`. In order of time, so that results do not depend on where epochs end:
   * a result comes when the watermark has come to the later of the two, and has its timestamp. `type: 'left'` gives left values too that
   * nothing belongs to, when their interval is over, with the timestamp of that. Values are kept as long as one of the other side may
   * belong to them, as they cross the exchange.
   *
   * @example
   * orders.keyBy(({ id }) => id, utf8).intervalJoin('pay', payments.keyBy(({ order }) => order, utf8), {
   *   lowerBoundMs: 0,
   *   upperBoundMs: 3_600_000,
   *   join: ({ id }, { amount }) => `${id}: ${amount}`,
   * });
   */
  intervalJoin<U, R>(uid: Uid, other: KeyedStream<K, U>, join: IntervalJoin<T, NoInfer<U>, R>): OrderedStream<R, T | U>;
  intervalJoin<U, R>(uid: Uid, other: KeyedStream<K, U>, join: LeftIntervalJoin<T, NoInfer<U>, R>): OrderedStream<R, T | U>;
  /**
   * Joins each value with the version of its key that held at its time: the last one that is not newer. Of one time versions come first.
   * In order of time, so that a version that is read late, but comes before the watermark, counts.
   *
   * @example
   * orders.keyBy(({ currency }) => currency, utf8).asOfJoin('convert', rates.keyBy(({ currency }) => currency, utf8), {
   *   join: ({ total }, { rate }) => total * rate,
   * });
   */
  asOfJoin<V, R>(uid: Uid, versions: KeyedStream<K, V>, join: VersionJoin<T, NoInfer<V>, R>): OrderedStream<R, T | V>;
  asOfJoin<V, R>(uid: Uid, versions: KeyedStream<K, V>, join: LeftVersionJoin<T, NoInfer<V>, R>): OrderedStream<R, T | V>;
  /**
   * Joins each value with what a table, read from a changelog, has of its key at that moment: the newest that was read, whatever its time.
   * Of an epoch what the table brings comes first. Needs no event time. A table's source begins at `startingOffsets: 'earliest'`, or what
   * it had before is not there.
   *
   * @example
   * clicks.keyBy(({ user }) => user, utf8).tableJoin('name', users.keyBy(({ id }) => id, utf8), {
   *   type: 'left',
   *   isDeleted: ({ name }) => name === undefined,
   *   join: ({ page }, user) => `${user?.name ?? 'somebody'} looked at ${page}`,
   * });
   */
  tableJoin<V, R>(uid: Uid, table: KeyedStream<K, V>, join: VersionJoin<T, NoInfer<V>, R>): DataStream<R>;
  tableJoin<V, R>(uid: Uid, table: KeyedStream<K, V>, join: LeftVersionJoin<T, NoInfer<V>, R>): DataStream<R>;
  /**
   * Joins two tables, each read from a changelog, by their keys: gives a change whenever what comes of a key does, and when nothing does any
   * more one without a value. So the last change of a key hangs on the last row of each table alone, however both are read. Needs no event
   * time. Both sources begin at `startingOffsets: 'earliest'`, or what they had before is not there. There is no join by another key of the one table: bring it to that key first.
   *
   * @example
   * users.keyBy(({ id }) => id, utf8).joinTables('profile', addresses.keyBy(({ user }) => user, utf8), {
   *   isLeftDeleted: ({ name }) => name === undefined,
   *   isRightDeleted: ({ city }) => city === undefined,
   *   join: ({ name }, { city }) => ({ name, city }),
   * }).sink('write', kafkaSink({ topic: 'profiles', key: utf8, value: json(), toRecord: (change) => change }));
   */
  joinTables<U, R>(uid: Uid, other: KeyedStream<K, U>, join: TablesJoin<T, NoInfer<U>, R>): DataStream<TableChange<K, R>>;
  joinTables<U, R>(uid: Uid, other: KeyedStream<K, U>, join: LeftTablesJoin<T, NoInfer<U>, R>): DataStream<TableChange<K, R>>;
  joinTables<U, R>(uid: Uid, other: KeyedStream<K, U>, join: FullTablesJoin<T, NoInfer<U>, R>): DataStream<TableChange<K, R>>;
  /**
   * The first values of each key by an order. Gives each rank that has another value than before: its last one holds. Of equals the one ranks
   * first whose encoding (`keyBy`'s `value`) is less, byte by byte. No value is ever taken back: for counts that change see `topN` of windows.
   *
   * @example
   * bids.keyBy(({ auction }) => auction, int64).topN('highest', { n: 10, by: ({ price }) => price });
   */
  topN(uid: Uid, top: RunningTopN<T>): DataStream<RankChange<K, T>>;
  /**
   * Counts how many different values the key has had, exactly, by what the serde writes of them: gives the count so far for each value. Each is
   * kept once.
   *
   * @example
   * views.keyBy(({ page }) => page, utf8).distinctCount('visitors', ({ visitor }) => visitor, utf8, { ttlMs: 24 * 60 * 60 * 1000 });
   */
  distinctCount<D>(uid: Uid, selector: (value: T) => D, serde: Serde<NoInfer<D>>, options?: DistinctCountOptions): DataStream<KeyCount<K>>;
  /**
   * The first value of each key, and no other: for ever, or for `forMs` of processing time from it on.
   *
   * @example
   * events.keyBy(({ id }) => id, utf8).deduplicate('once', { forMs: 24 * 60 * 60 * 1000 });
   */
  deduplicate(uid: Uid, options?: DeduplicateOptions): DataStream<T>;
  /**
   * Cuts the values of a key into windows, of event time if nothing else is said: each source before it then has `eventTime`.
   *
   * @example
   * bids
   *   .keyBy(({ auction }) => auction, int64)
   *   .window(tumblingWindows({ sizeMs: 10_000 }))
   *   .aggregate('count-bids', { accumulator: int64, initial: 0, add: (n) => n + 1 });
   */
  window(windows: TimeWindows, options?: WindowOptions): WindowedStream<K, T>;
  window(windows: CountWindows): WindowedStream<K, T>;
}

/**
 * The values of a key, cut into windows. A result has the window's last millisecond for a timestamp, `endMs - 1`, and comes when event
 * time has come to that, in the order of these times; of a session all this is a millisecond later. A window without values gives nothing.
 */
export interface WindowedStream<K, T> {
  /**
   * Folds the values of a window, as they come. `uid` names the state in snapshots.
   *
   * @example
   * words
   *   .keyBy((word) => word, utf8)
   *   .window(tumblingWindows({ sizeMs: 60_000 }))
   *   .aggregate('count', { accumulator: int64, initial: 0, add: (n) => n + 1, merge: (one, other) => one + other });
   */
  aggregate<A, R = WindowResult<K, A>>(uid: Uid, aggregate: WindowAggregate<K, T, A, R>): WindowStream<R, T>;
  /**
   * Folds the values of a window into one of the same type: the first as it is, then `fn(reduced, value)`. `fn` makes one of two parts of
   * a window too, so it must not matter how values are grouped.
   *
   * @example
   * bids
   *   .keyBy(({ auction }) => auction, int64)
   *   .window(tumblingWindows({ sizeMs: 60_000 }))
   *   .reduce('highest', (one, other) => (other.price > one.price ? other : one), json<Bid>());
   */
  reduce(uid: Uid, fn: (reduced: T, value: T) => T, serde: Serde<NoInfer<T>>): WindowStream<WindowResult<K, T>, T>;
  /**
   * Is given all values of a window at once, in order of their timestamps, then of arrival. Each is kept once, however many windows it
   * is in. What type it emits is said by the type of `out`.
   *
   * @example
   * bids
   *   .keyBy(({ auction }) => auction, int64)
   *   .window(tumblingWindows({ sizeMs: 60_000 }))
   *   .process('most', (all, { key }, out: Output<string>) => out.emit(`${key}: ${Math.max(...all.map(({ price }) => price))}`), json<Bid>());
   */
  process<R = never, O extends SideOutputSpecs = NoSideOutputs>(
    uid: Uid,
    fn: (values: readonly T[], context: WindowProcessContext<K, SideOutputs<O>>, out: Output<R>) => void,
    serde: Serde<NoInfer<T>>,
    options?: WindowProcessOptions<O>,
  ): WithSideOutputs<WindowStream<R, T>, O>;
  /**
   * The first values of a window by an order, in it. No more is kept than those. Of equals the one ranks first whose encoding (`keyBy`'s `value`)
   * is less, byte by byte: so nothing hangs on arrival. Behind windows that were made one result for each key, `topN` of `WindowStream` ranks the
   * keys.
   *
   * @example
   * bids
   *   .keyBy(({ auction }) => auction, int64)
   *   .window(tumblingWindows({ sizeMs: 60_000 }))
   *   .topN('three-dearest', { n: 3, by: ({ price }) => price });
   */
  topN(uid: Uid, top: TopN<T>): WindowStream<WindowResult<K, T[]>, T>;
  /**
   * Counts how many different values a window has, exactly, by what the serde writes of them. Each is kept once; of sliding and cumulating
   * windows once in each slice.
   *
   * @example
   * views
   *   .keyBy(({ page }) => page, utf8)
   *   .window(slidingWindows({ sizeMs: 86_400_000, slideMs: 3_600_000 }))
   *   .distinctCount('visitors', ({ visitor }) => visitor, utf8);
   */
  distinctCount<D>(uid: Uid, selector: (value: T) => D, serde: Serde<NoInfer<D>>): WindowStream<WindowResult<K, number>, T>;
  /**
   * Joins the values of this stream, the left one, with those of another that have the same key and are in the same window, each with each,
   * when the window is over. Both are cut into the same windows; a session is of both together. With `allowedLatenessMs` late values give all
   * pairs of their window once more, with `isUpdate`. Not for `countWindows`.
   *
   * @example
   * clicks
   *   .keyBy(({ user }) => user, utf8)
   *   .window(tumblingWindows({ sizeMs: 60_000 }))
   *   .join('visits', views.keyBy(({ user }) => user, utf8), { join: (click, view) => `${view.page}: ${click.button}` });
   */
  join<U, R>(uid: Uid, other: KeyedStream<K, U>, join: WindowJoin<K, T, NoInfer<U>, R>): WindowStream<R, T | U>;
  join<U, R>(uid: Uid, other: KeyedStream<K, U>, join: LeftWindowJoin<K, T, NoInfer<U>, R>): WindowStream<R, T | U>;
  join<U, R>(uid: Uid, other: KeyedStream<K, U>, join: RightWindowJoin<K, T, NoInfer<U>, R>): WindowStream<R, T | U>;
  join<U, R>(uid: Uid, other: KeyedStream<K, U>, join: FullWindowJoin<K, T, NoInfer<U>, R>): WindowStream<R, T | U>;
  /**
   * Is given all values of a window of this stream and of another at once, each in order of their timestamps, then of arrival: what `join`
   * cannot say. One of both may be empty.
   *
   * @example
   * persons
   *   .keyBy(({ id }) => id, int64)
   *   .window(tumblingWindows({ sizeMs: 10_000 }))
   *   .coGroup('sellers', auctions.keyBy(({ seller }) => seller, int64), (registered, opened, { key }, out: Output<number>) => {
   *     if (registered.length > 0 && opened.length > 0) out.emit(key);
   *   });
   */
  coGroup<U, R = never>(
    uid: Uid,
    other: KeyedStream<K, U>,
    fn: (values: readonly T[], others: readonly U[], context: WindowContext<K>, out: Output<R>) => void,
  ): WindowStream<R, T | U>;
}

/** What `process` of windows has besides its function. */
export interface WindowProcessOptions<O extends SideOutputSpecs> {
  /** As that of a keyed operator. @default none */
  readonly sideOutputs?: O;
}

/** For how long `deduplicate` remembers. */
export interface DeduplicateOptions {
  /** In milliseconds of processing time, 1 at least. Then the key is forgotten, and its next value is a first one. @default for ever */
  readonly forMs?: number;
}

/** The results of windows. */
export interface WindowStream<R, T> extends DataStream<R> {
  /**
   * Of the results of all keys for one window the first by an order, in it: one result a window, in the epoch in which it is over. An update of a
   * key's result (`allowedLatenessMs`) takes the place of the one before. No more is kept than the first, unless results may come more than
   * once: then one for each key. Not behind sessions and count windows, which have no window in common.
   *
   * @example
   * words
   *   .keyBy((word) => word, utf8)
   *   .window(slidingWindows({ sizeMs: 60_000, slideMs: 10_000 }))
   *   .aggregate('count', { accumulator: int64, initial: 0, add: (n) => n + 1, merge: (one, other) => one + other })
   *   .topN('most-frequent', { n: 10, by: ({ value }) => value });
   */
  topN(uid: Uid, top: TopN<R>, options?: TopNOptions<R>): DataStream<WindowTop<R>>;
  /** The values that came when all their windows were over, and no lateness was allowed any more: each with its own timestamp. */
  readonly late: DataStream<T>;
}

/** What an operator makes that works in order of time. */
export interface OrderedStream<R, T> extends DataStream<R> {
  /** The records that came too late to be given in their order. */
  readonly late: DataStream<T>;
}

/** The streams of what an operator gives aside. */
export interface SideStreams<O extends SideOutputSpecs> {
  /**
   * What the operator emits to the side output that it declares under this name. Throws `JobDefinitionError` for any other name.
   *
   * @example
   * checked.sideOutput('refused').sink('write-refused', kafkaSink({ topic: 'refused', value: utf8 }));
   */
  sideOutput<Name extends keyof O & string>(name: Name): DataStream<SideOutputValue<O[Name]>>;
}

/** What an operator makes; with its side outputs, if it declares any. */
export type WithSideOutputs<Stream, O extends SideOutputSpecs> = [keyof O] extends [never] ? Stream : Stream & SideStreams<O>;

/** What `sum` gives for each value. */
export interface KeySum<K> {
  /** Whose values were summed. */
  readonly key: K;
  /** Of all values of the key so far. */
  readonly sum: number;
}

/** What runs for the values of a stream, with the state of their key. */
export interface KeyedOperator<K, T, S extends StateSpecs, R, Q = R, O extends SideOutputSpecs = NoSideOutputs> {
  /** What is kept of each key, by names of yours. @default nothing */
  readonly state?: S;
  /**
   * Runs for each value, with the state of its key. What it emits has the time of the record.
   */
  onRecord(value: T, state: StateHandles<S>, out: Output<R>, context: KeyedContext<K, SideOutputs<O>>): void;
  /**
   * Runs for each timer that is due, with the state of its key: at the end of an epoch, behind all its records. Timers of event time
   * come before those of processing time, each in order of time. What it emits has the timer's time. When it fails the epoch is tried
   * again, and the job stops when that has lasted for ONCEFLOW_REFUSAL_TIMEOUT_MS.
   *
   * @example
   * orders.keyBy(({ id }) => id, utf8).process('overdue', {
   *   state: { open: valueState(int32) },
   *   onRecord(_order, { open }, _out, { timers, timestamp }) {
   *     open.set(1);
   *     timers.setEventTime(timestamp + 86_400_000);
   *   },
   *   onTimer({ timeMs }, { open }, out: Output<string>, { key }) {
   *     if (open.get() === 1) out.emit(`${key} is overdue since ${timeMs}`);
   *   },
   * });
   */
  onTimer?(timer: Timer, state: StateHandles<S>, out: Output<Q>, context: KeyedContext<K, SideOutputs<O>>): void;
  /**
   * All its timers are of processing time. Needed behind a source without event time.
   * @default they are of both
   */
  readonly timers?: 'processing-time';
  /**
   * Records wait until the watermark has come to them, and are then given in the order of their times, with the timers of event time
   * between them; of one time in the order of the sources' uids, of partitions and of offsets. So what the operator makes of a key does
   * not depend on where epochs end, on parallelism, on failures or on how fast a backlog is read. A record that comes when the
   * watermark has passed it goes to `late` instead. It needs event time.
   * @default false: records are given as they come, and timers behind those of their epoch
   */
  readonly inTimeOrder?: boolean;
  /**
   * What it gives aside, each by a name of yours: `{ refused: sideOutput<Order>() }`. Its functions emit it to `context.sideOutputs`, with
   * the timestamp and the key of what they work on, and `sideOutput(name)` of what it makes is its stream.
   * @default none
   */
  readonly sideOutputs?: O;
  /** Does it read the watermark or the processing time, without having timers? Then epochs have them. @default false */
  readonly usesTime?: boolean;
}
