import type { Serde } from '../format/serde.ts';
import { JobDefinitionError, type NoSideOutputs, type Output, type WindowNode } from '../graph/job.ts';
import type { WindowContext, WindowFold, WindowProcess, WindowProcessContext } from '../graph/windows.ts';
import { sharesSlices, type WindowLayout, windowStates } from '../operators/kinds/window/states.ts';
import { inputsSerde } from '../operators/of-input.ts';
import { initialOf } from '../state/columns/value.ts';
import { expectGiven } from './expect-given.ts';
import type { JoinSide } from './joins/drafted-join.ts';
import { type AnyWindowJoin, type CoGroup, coGrouped, windowJoin } from './joins/window-join.ts';
import { expectKnown } from './known-options.ts';
import { countedBy, distinctOfWindow, distinctSerde } from './shapes/distinct-count.ts';
import { type AnyOrder, Ranking } from './shapes/ranking.ts';
import { topOfWindow } from './shapes/top-n.ts';
import type { SideOutputSpecs, SideOutputs } from './side-outputs.ts';
import type { KeyedStream, WindowedStream, WindowProcessOptions, WindowStream, WithSideOutputs } from './streams.ts';
import type { Uid } from './uid.ts';
import { refuseAsync } from './user-function.ts';
import { expectInitial, expectSerde } from './user-serde.ts';
import {
  type CountWindows,
  checkedOptions,
  shapeOf,
  type TimeWindows,
  type WindowAggregate,
  type WindowOptions,
  type WindowResult,
} from './windows.ts';

/** What a windowed stream adds to the job. */
export interface WindowsDraft {
  /** Begins messages. */
  readonly where: string;
  /** How the values of the stream cross the exchange. */
  readonly value: Serde<unknown>;
  /** The stream and another one, which it is joined with. */
  sides(name: string, uid: string, other: unknown): readonly [JoinSide, JoinSide];
  /** The uid alone, of what may have had others. */
  uidOf(given: Uid): string;
  add(uid: string, node: DraftedWindows, sideOutputs?: SideOutputSpecs): unknown;
  /** The names of side outputs, checked. */
  sideOutputNames(uid: string, specs: SideOutputSpecs | undefined): readonly string[];
}

export interface DraftedWindows extends Pick<WindowNode, 'states' | 'shape' | 'make' | 'allowedLatenessMs' | 'earlyEveryMs' | 'time'> {
  /** What is joined. Undefined: the stream alone. */
  readonly sides?: readonly JoinSide[];
}

export function windowedStream<K, T>(
  draft: WindowsDraft,
  given: TimeWindows | CountWindows,
  options: WindowOptions = {},
): WindowedStream<K, T> {
  const { where } = draft;
  const shape = shapeOf(given);
  if (shape === undefined) throw new JobDefinitionError(`${where}: window is given no windows: tumblingWindows({ sizeMs: 60_000 }), say`);
  const common = { shape, ...checkedOptions(shape, options, where) };
  const statesOf = (make: WindowFold | WindowProcess, kept: Pick<WindowLayout, 'accumulator' | 'value'>) =>
    windowStates({ shape, time: common.time, inSlices: sharesSlices(shape, make), ...kept });
  const addFold = (uid: string, make: WindowFold, accumulator: Serde<unknown>) =>
    draft.add(uid, { ...common, make, states: statesOf(make, { accumulator }) });
  const addCoGroup = <R, T>(name: string, uid: string, other: unknown, fn: CoGroup) => {
    const at = `${where}: ${name} ${uid}`;
    if (shape.kind === 'count')
      throw new JobDefinitionError(`${at}: countWindows hang on the order in which two streams are read: take windows of time`);
    const sides = draft.sides(name, uid, other);
    const [{ value: left }, { value: right }] = sides;
    const value = inputsSerde([
      { name: 'left', value: left },
      { name: 'right', value: right },
    ]);
    const make = coGrouped(fn);
    return draft.add(uid, { ...common, make, states: statesOf(make, { value }), sides }) as WindowStream<R, T>;
  };

  return {
    aggregate<A, R>(given: Uid, aggregate: WindowAggregate<K, T, A, R>) {
      const uid = draft.uidOf(given);
      const at = `${where}: aggregate ${uid}`;
      expectGiven(aggregate, at, '{ accumulator: int64, initial: 0, add: (n) => n + 1 }');
      expectKnown(aggregate, { accumulator: true, initial: true, add: true, merge: true, result: true }, at);
      const {
        accumulator,
        initial,
        add: addOne,
        merge,
        result = plainResult,
      } = aggregate as unknown as WindowAggregate<unknown, unknown, unknown, unknown>;
      expectSerde(accumulator, `${at}: accumulator`);
      expectInitial(accumulator, initial, at);
      if (initial === undefined) throw new JobDefinitionError(`${at}: initial is undefined: nothing could be added to it`);
      refuseAsync(addOne, `${at}: add`);
      if (merge !== undefined) refuseAsync(merge, `${at}: merge`);
      refuseAsync(result, `${at}: result`);
      if (shape.kind === 'session' && merge === undefined)
        throw new JobDefinitionError(
          `${at}: sessions grow together, and then their accumulators do: give it a merge, (one, other) => one + other for a count`,
        );
      const begin = initialOf({ name: `of ${uid}`, serdes: [accumulator], initial });
      const fold: WindowFold = { kind: 'fold', first: (value) => addOne(begin(), value), add: addOne, merge, result };
      return addFold(uid, fold, accumulator) as WindowStream<R, T>;
    },
    reduce(given, fn, serde) {
      const uid = draft.uidOf(given);
      const at = `${where}: reduce ${uid}`;
      refuseAsync(fn, at);
      expectSerde(serde, at);
      const reduce = fn as (one: unknown, other: unknown) => unknown;
      const fold: WindowFold = { kind: 'fold', first: (value) => value, add: reduce, merge: reduce, result: plainResult };
      return addFold(uid, fold, serde as Serde<unknown>) as WindowStream<WindowResult<K, T>, T>;
    },
    process<R, O extends SideOutputSpecs = NoSideOutputs>(
      given: Uid,
      fn: (values: readonly T[], context: WindowProcessContext<K, SideOutputs<O>>, out: Output<R>) => void,
      serde: Serde<T>,
      options: WindowProcessOptions<O> = {},
    ) {
      const uid = draft.uidOf(given);
      const at = `${where}: process ${uid}`;
      expectKnown<WindowProcessOptions<O>>(options, { sideOutputs: true }, at);
      const { sideOutputs } = options;
      refuseAsync(fn, at);
      expectSerde(serde, at);
      const make: WindowProcess = {
        kind: 'process',
        process: fn as unknown as WindowProcess['process'],
        sideOutputs: draft.sideOutputNames(uid, sideOutputs),
      };
      const node = { ...common, make, states: statesOf(make, { value: serde as Serde<unknown> }) };
      return draft.add(uid, node, sideOutputs) as WithSideOutputs<WindowStream<R, T>, O>;
    },
    topN(given, order) {
      const uid = draft.uidOf(given);
      const ranking = new Ranking(order as AnyOrder, draft.value, `${where}: topN ${uid}`);
      const top = topOfWindow(ranking, plainResult);
      return addFold(uid, top, ranking.serde as Serde<unknown>) as WindowStream<WindowResult<K, T[]>, T>;
    },
    distinctCount(given, selector, serde) {
      const uid = draft.uidOf(given);
      const counted = countedBy(selector, serde, `${where}: distinctCount ${uid}`);
      const distinct = distinctOfWindow(counted, plainResult);
      return addFold(uid, distinct, distinctSerde(counted.serde) as Serde<unknown>) as WindowStream<WindowResult<K, number>, T>;
    },
    join: <U, R>(given: Uid, other: KeyedStream<K, U>, join: unknown) => {
      const uid = draft.uidOf(given);
      return addCoGroup<R, T | U>('join', uid, other, windowJoin(join as AnyWindowJoin, `${where}: join ${uid}`));
    },
    coGroup: <U, R>(given: Uid, other: KeyedStream<K, U>, fn: unknown) => {
      const uid = draft.uidOf(given);
      refuseAsync(fn, `${where}: coGroup ${uid}`);
      return addCoGroup<R, T | U>('coGroup', uid, other, fn as CoGroup);
    },
  };
}

function plainResult(value: unknown, { key, startMs, endMs }: WindowContext<unknown>): WindowResult<unknown, unknown> {
  return { key, startMs, endMs, value };
}
