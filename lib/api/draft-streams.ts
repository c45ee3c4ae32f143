import type { Serde } from '../format/serde.ts';
import { float64, int32, structured } from '../format/serdes.ts';
import { JobDefinitionError, type MapAsyncNode } from '../graph/job.ts';
import { LATE } from '../operators/kinds/time-order.ts';
import { isSinkSpec, serdesOfSink } from '../sinks/kinds.ts';
import type { ValueState } from '../state/columns/value.ts';
import { inputOf, remember } from './drafted.ts';
import { expectGiven } from './expect-given.ts';
import type { JobDraft } from './job-draft.ts';
import type { DraftedJoin, JoinSide } from './joins/drafted-join.ts';
import { intervalJoin } from './joins/interval-join.ts';
import { type AnyTablesJoin, joinTables, type TableChange } from './joins/join-tables.ts';
import { versionJoin } from './joins/version-joins.ts';
import { type EveryOption, expectKnown, expectNoneMisspelt } from './known-options.ts';
import { checkedCalls, type MapAsyncOptions } from './map-async.ts';
import { addProcess, boundTo } from './process.ts';
import { countedBy, type DistinctCountOptions, type KeyCount, runningDistinct } from './shapes/distinct-count.ts';
import { type AnyOrder, Ranking } from './shapes/ranking.ts';
import { type RankChange, runningTop, type TopNOptions } from './shapes/top-n.ts';
import { addTopOfWindows } from './shapes/top-of-windows.ts';
import { type SideOutputSpecs, sideOutputNames } from './side-outputs.ts';
import type { Sink } from './sinks.ts';
import { type StateSpec, type StateSpecs, type ValueStateSpec, valueState, withTtl } from './state.ts';
import type {
  BroadcastOptions,
  DataStream,
  DeduplicateOptions,
  KeyByOptions,
  KeyedOperator,
  KeyedStream,
  KeySum,
  OrderedStream,
  SideStreams,
} from './streams.ts';
import type { Uid } from './uid.ts';
import { refuseAsync } from './user-function.ts';
import { expectKeySerde, expectSerde, expectTopicSerde } from './user-serde.ts';
import { expectSpan } from './whole-number.ts';
import { type DraftedWindows, type WindowsDraft, windowedStream } from './windowed-stream.ts';
import type { CountWindows, TimeWindows, WindowOptions } from './windows.ts';

const OPERATOR_OPTIONS: EveryOption<KeyedOperator<unknown, unknown, StateSpecs, unknown>> = {
  state: true,
  onRecord: true,
  onTimer: true,
  timers: true,
  usesTime: true,
  inTimeOrder: true,
  sideOutputs: true,
};

type UserFunction = (value: unknown) => unknown;

/** A stream of the job: the values of that node. */
export function stream<T>(draft: JobDraft, input: number): DataStream<T> {
  const inputs = [input];
  const where = (what: string) => `job ${draft.name}: ${what}`;
  const step = <U>(kind: 'map' | 'filter' | 'flatMap', fn: unknown): DataStream<U> => {
    refuseAsync(fn, draft.where(kind), kind === 'flatMap' ? 'allowed' : 'refused');
    return stream<U>(draft, draft.add({ kind, inputs, fn: fn as UserFunction }));
  };
  const made: DataStream<T> = {
    map: (fn) => step('map', fn),
    filter: <U>(fn: unknown) => step<U>('filter', fn),
    flatMap: (fn) => step('flatMap', fn),
    mapAsync: <U>(fn: unknown, options: MapAsyncOptions = {}) => {
      const calls = checkedCalls(fn, options, draft.where('mapAsync'));
      return stream<U>(draft, draft.add({ kind: 'mapAsync', inputs, fn: fn as MapAsyncNode['fn'], ...calls }));
    },
    union: <U>(...others: readonly DataStream<U>[]) => {
      const all = [made, ...others];
      const from = all.map((other, index) => inputOf(draft, other, 'stream', `union: stream ${index}`, 'a stream of this job'));
      if (new Set(from).size < from.length)
        throw new JobDefinitionError(
          where('union is given a stream twice: its values would come once; map one of them to tell them apart'),
        );
      return stream<T | U>(draft, draft.add({ kind: 'union', inputs: from }));
    },
    broadcast: (options) => {
      expectKnown<BroadcastOptions<T>>(options ?? {}, { value: true }, where('broadcast'));
      const value = options?.value ?? structured;
      expectSerde(value, where('value of broadcast'));
      return remember({ isBroadcast: true, value: value as Serde<T> }, { draft, node: input, of: 'broadcast' });
    },
    keyBy: (selector, key, options) => {
      refuseAsync(selector, draft.where('keyBy'));
      expectKnown<KeyByOptions<T>>(options ?? {}, { value: true }, where('keyBy'));
      const value = options?.value ?? structured;
      expectKeySerde(key, `job ${draft.name}: key of keyBy`);
      expectSerde(value, `job ${draft.name}: value of keyBy`);
      return keyedStream(
        draft,
        draft.add({
          kind: 'keyBy',
          inputs,
          selector: selector as UserFunction,
          key: key as Serde<unknown>,
          value: value as Serde<unknown>,
        }),
      );
    },
    sink: (uid, sink: Sink<T>) => {
      const to: unknown = sink;
      if (!isSinkSpec(to))
        throw new JobDefinitionError(
          `${where(`sink ${uid}`)} is given what is no sink: give it kafkaSink({ topic: 'orders', value: json() }), say`,
        );
      for (const [what, serde] of Object.entries(serdesOfSink(to)))
        if (serde !== undefined || what === 'value') expectTopicSerde(serde, `job ${draft.name}: ${what} of sink ${uid}`);
      draft.add({ kind: 'sink', inputs, uid: draft.claim(uid), to });
    },
  };
  return remember(made, { draft, node: input, of: 'stream' });
}

/** The side output is there when somebody asks for it. @param more what the stream has besides */
export function withLate<R, T, M extends object = object>(draft: JobDraft, operator: number, more?: M): OrderedStream<R, T> & M {
  let late: DataStream<T> | undefined;
  const made = {
    ...stream<R>(draft, operator),
    ...(more as M),
    get late() {
      late ??= stream<T>(draft, draft.add({ kind: 'sideOutput', inputs: [operator], tag: LATE }));
      return late;
    },
  };
  return remember(made, { draft, node: operator, of: 'stream' });
}

/** What an operator makes, with the side outputs that it declares: each is there when somebody asks for it. */
export function withSideOutputs<Stream extends object>(
  draft: JobDraft,
  operator: number,
  specs: SideOutputSpecs | undefined,
  made: Stream,
): Stream & SideStreams<SideOutputSpecs> {
  const known = new Map<string, DataStream<unknown> | undefined>(Object.keys(specs ?? {}).map((name) => [name, undefined]));
  const sideOutput = (name: string): DataStream<unknown> => {
    if (!known.has(name)) throw noSideOutput(draft, operator, name, [...known.keys()]);
    const side = known.get(name) ?? stream(draft, draft.add({ kind: 'sideOutput', inputs: [operator], tag: name }));
    known.set(name, side);
    return side;
  };
  return Object.assign(made, { sideOutput: sideOutput as SideStreams<SideOutputSpecs>['sideOutput'] });
}

function noSideOutput({ name: job, nodes }: JobDraft, operator: number, name: string, known: readonly string[]): JobDefinitionError {
  const node = nodes[operator];
  const uid = node !== undefined && 'uid' in node ? node.uid : operator;
  const mend = known.length > 0 ? `those are ${known.join(', ')}` : 'declare it: sideOutputs: { refused: sideOutput<Order>() }';
  return new JobDefinitionError(`job ${job}: ${uid} has no side output ${JSON.stringify(name)}: ${mend}`);
}

function keyedStream<K, T>(draft: JobDraft, input: number): KeyedStream<K, T> {
  const process = <S extends StateSpecs, R>(uid: string, operator: KeyedOperator<K, T, S, R>): DataStream<R> => {
    const where = `job ${draft.name}: process ${uid}`;
    expectGiven(operator, where, '{ onRecord(value, state, out) { … } }');
    expectNoneMisspelt(operator, OPERATOR_OPTIONS, where);
    const inTimeOrder = operator.inTimeOrder === true;
    const onRecord = boundTo(operator, operator.onRecord, draft.where(uid));
    const onTimer = operator.onTimer && boundTo(operator, operator.onTimer, `${draft.where(uid)}: onTimer`);
    const id = addProcess(draft, uid, {
      ...operator,
      state: operator.state ?? {},
      inTimeOrder,
      onTimer,
      inputs: [{ node: input, name: 'rows', onRecord }],
    });
    return withSideOutputs(draft, id, operator.sideOutputs, inTimeOrder ? withLate<R, T>(draft, id) : stream<R>(draft, id));
  };
  const sideOf = (side: unknown, what: string): JoinSide => {
    const node = inputOf(draft, side, 'keyed', what, 'a stream by key: give it stream.keyBy(…)');
    return { node, value: valueSerdeOf(draft, node) };
  };
  /** Two streams by key in the order in which they are read. */
  const joined = (name: string, uid: string, first: unknown, second: unknown) => {
    const where = `job ${draft.name}: ${name} ${uid}`;
    const sides = [first, second].map((side) => sideOf(side, `${name} ${uid}: what it joins with`)) as [JoinSide, JoinSide];
    if (sides[0].node === sides[1].node)
      throw new JobDefinitionError(`${where} joins a stream with itself: give one side a keyBy of its own`);
    return { where, sides } as const;
  };
  const keyed: KeyedStream<K, T> = {
    process: ((given: Uid, operator: KeyedOperator<K, T, StateSpecs, unknown>) => process(draft.uidOf(given), operator)) as KeyedStream<
      K,
      T
    >['process'],
    window: (windows: TimeWindows | CountWindows, options?: WindowOptions) => {
      const add = (uid: string, { sides, ...node }: DraftedWindows, sideOutputs?: SideOutputSpecs) => {
        const id = draft.add({ ...node, kind: 'window', inputs: sides?.map((side) => side.node) ?? [input], uid: draft.claim(uid) });
        const made = withLate(draft, id, {
          topN: (givenUid: Uid, order: unknown, topOptions: TopNOptions<unknown> = {}) => {
            const topUid = draft.uidOf(givenUid);
            expectKnown<TopNOptions<unknown>>(topOptions, { value: true }, `job ${draft.name}: topN ${topUid}`);
            return stream(draft, addTopOfWindows(draft, id, topUid, order as AnyOrder, topOptions.value));
          },
        });
        return withSideOutputs(draft, id, sideOutputs, made);
      };
      const place: WindowsDraft = {
        where: `job ${draft.name}`,
        uidOf: (uid) => draft.uidOf(uid),
        value: valueSerdeOf(draft, input),
        sides: (name, uid, other) => joined(name, uid, keyed, other).sides,
        add,
        sideOutputNames: (uid, specs) => sideOutputNames(draft, uid, specs),
      };
      return windowedStream<K, T>(place, windows, options);
    },
    intervalJoin: <U, R>(given: Uid, other: KeyedStream<K, U>, options: unknown) => {
      const uid = draft.uidOf(given);
      const { where, sides } = joined('intervalJoin', uid, keyed, other);
      return addJoin<R, T | U>(draft, uid, sides, intervalJoin(options as AnyIntervalJoin, sides, where), true);
    },
    asOfJoin: <V, R>(given: Uid, versions: KeyedStream<K, V>, options: unknown) => {
      const uid = draft.uidOf(given);
      const { where, sides } = joined('asOfJoin', uid, versions, keyed);
      return addJoin<R, T | V>(draft, uid, sides, versionJoin(options as AnyVersionJoin, sides[0], where), true);
    },
    tableJoin: <V, R>(given: Uid, table: KeyedStream<K, V>, options: unknown) => {
      const uid = draft.uidOf(given);
      const { where, sides } = joined('tableJoin', uid, table, keyed);
      return addJoin<R, T | V>(draft, uid, sides, versionJoin(options as AnyVersionJoin, sides[0], where), false);
    },
    joinTables: <U, R>(given: Uid, other: KeyedStream<K, U>, options: unknown) => {
      const uid = draft.uidOf(given);
      const { where, sides } = joined('joinTables', uid, keyed, other);
      return addJoin<TableChange<K, R>, T | U>(draft, uid, sides, joinTables(options as AnyTablesJoin, sides, where), false);
    },
    deduplicate: (given, options = {}) => {
      const uid = draft.uidOf(given);
      const where = `job ${draft.name}: deduplicate ${uid}`;
      expectKnown<DeduplicateOptions>(options, { forMs: true }, where);
      const { forMs } = options;
      expectSpan(forMs, 1, `${where}: forMs`);
      const seen = valueState(int32);
      return process<{ seen: StateSpec<ValueState<number>> }, T>(uid, {
        state: { seen: forMs === undefined ? seen : withTtl(seen, { ttlMs: forMs }) },
        onRecord(value, state, out) {
          if (state.seen.get() !== undefined) return;
          state.seen.set(1);
          out.emit(value);
        },
      });
    },
    topN: (given, order) => {
      const uid = draft.uidOf(given);
      const where = `job ${draft.name}: topN ${uid}`;
      const ranking = new Ranking(order as AnyOrder, valueSerdeOf(draft, input), where);
      // Ranks of which there are more or fewer would have to be taken back.
      if ((order as AnyOrder).withTies !== undefined)
        throw new JobDefinitionError(`${where}: withTies is for the first of a window, and not for those of a key: take it out`);
      return process<StateSpecs, RankChange<K, T>>(uid, runningTop<K, T>(ranking, order.ttlMs));
    },
    distinctCount: (given, selector, serde, options = {}) => {
      const uid = draft.uidOf(given);
      const where = `job ${draft.name}: distinctCount ${uid}`;
      expectKnown<DistinctCountOptions>(options, { ttlMs: true }, where);
      const counted = countedBy(selector, serde, where);
      return process<StateSpecs, KeyCount<K>>(uid, runningDistinct<K, T>(counted, options.ttlMs));
    },
    reduce: (given, fn, serde) => {
      const uid = draft.uidOf(given);
      refuseAsync(fn, draft.where(uid));
      return process<{ result: ValueStateSpec<T, undefined> }, T>(uid, {
        state: { result: valueState<T>(serde) },
        onRecord(value, { result }, out) {
          const accumulated = result.get();
          const next = accumulated === undefined ? value : fn(accumulated, value);
          result.set(next);
          out.emit(next);
        },
      });
    },
    sum: (given, selector) => {
      const uid = draft.uidOf(given);
      refuseAsync(selector, draft.where(uid));
      return process<{ sum: ValueStateSpec<number, undefined> }, KeySum<K>>(uid, {
        state: { sum: valueState(float64) },
        onRecord(value, state, out, { key }) {
          const summand: unknown = selector(value);
          if (typeof summand !== 'number' || Number.isNaN(summand))
            throw new TypeError(
              `the selector of sum gave ${typeof summand === 'string' ? JSON.stringify(summand) : String(summand)}, which is no number`,
            );
          const sum = (state.sum.get() ?? 0) + summand;
          state.sum.set(sum);
          out.emit({ key, sum });
        },
      });
    },
  };
  return remember(keyed, { draft, node: input, of: 'keyed' });
}

/** How the values of a stream by key cross the exchange. */
function valueSerdeOf({ nodes }: JobDraft, node: number): Serde<unknown> {
  const keyBy = nodes[node];
  if (keyBy?.kind !== 'keyBy') throw new Error(`node ${node} is no keyBy`);
  return keyBy.value;
}

type AnyIntervalJoin = Parameters<typeof intervalJoin>[0];
type AnyVersionJoin = Parameters<typeof versionJoin>[0];

function addJoin<R, L>(
  draft: JobDraft,
  uid: string,
  sides: readonly [JoinSide, JoinSide],
  { state, names, onRecord, onTimer }: DraftedJoin,
  inTimeOrder: boolean,
): OrderedStream<R, L> {
  const inputs = sides.map(({ node }, index) => ({ node, name: names[index] as string, onRecord: onRecord[index] }));
  const id = addProcess(draft, uid, { state, inputs, onTimer, inTimeOrder });
  return withLate<R, L>(draft, id);
}
