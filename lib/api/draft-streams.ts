import type { Serde } from '../format/serde.ts';
import { float64, structured } from '../format/serdes.ts';
import { JobDefinitionError } from '../graph/job.ts';
import { LATE } from '../operators/kinds/time-order.ts';
import { type SinkSpec, serdesOfSink } from '../sinks/connectors.ts';
import { inputOf, remember } from './drafted.ts';
import type { JobDraft } from './job-draft.ts';
import type { KafkaSink } from './kafka.ts';
import { addProcess, boundTo } from './process.ts';
import { type StateSpecs, type ValueStateSpec, valueState } from './state.ts';
import type { DataStream, KeyedOperator, KeyedStream, KeySum, OrderedStream } from './streams.ts';
import { refuseAsync } from './user-function.ts';
import { expectKeySerde, expectSerde } from './user-serde.ts';
import { type DraftedWindows, windowedStream } from './windowed-stream.ts';
import type { CountWindows, TimeWindows, WindowOptions } from './windows.ts';

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
      const value = options?.value ?? structured;
      expectSerde(value, where('value of broadcast'));
      return remember({ isBroadcast: true, value: value as Serde<T> }, { draft, node: input, of: 'broadcast' });
    },
    keyBy: (selector, key, options) => {
      refuseAsync(selector, draft.where('keyBy'));
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
    sink: (uid, sink: KafkaSink<T>) => {
      const to = sink as SinkSpec;
      for (const [what, serde] of Object.entries(serdesOfSink(to)))
        if (serde !== undefined || what === 'value') expectSerde(serde, `job ${draft.name}: ${what} of sink ${uid}`);
      draft.add({ kind: 'sink', inputs, uid: draft.claim(uid), to });
    },
  };
  return remember(made, { draft, node: input, of: 'stream' });
}

/** The side output is there when somebody asks for it. */
export function withLate<R, T>(draft: JobDraft, operator: number): OrderedStream<R, T> {
  let late: DataStream<T> | undefined;
  const made = {
    ...stream<R>(draft, operator),
    get late() {
      late ??= stream<T>(draft, draft.add({ kind: 'sideOutput', inputs: [operator], tag: LATE }));
      return late;
    },
  };
  return remember(made, { draft, node: operator, of: 'stream' });
}

function keyedStream<K, T>(draft: JobDraft, input: number): KeyedStream<K, T> {
  const inputs = [input];
  const process = <S extends StateSpecs, R>(uid: string, operator: KeyedOperator<K, T, S, R>): DataStream<R> => {
    const inTimeOrder = operator.inTimeOrder === true;
    const onRecord = boundTo(operator, operator.onRecord, draft.where(uid));
    const onTimer = operator.onTimer && boundTo(operator, operator.onTimer, `${draft.where(uid)}: onTimer`);
    const id = addProcess(draft, uid, { ...operator, inTimeOrder, onTimer, inputs: [{ node: input, onRecord }] });
    return inTimeOrder ? withLate<R, T>(draft, id) : stream<R>(draft, id);
  };
  const keyed: KeyedStream<K, T> = {
    process: process as KeyedStream<K, T>['process'],
    window: (windows: TimeWindows | CountWindows, options?: WindowOptions) => {
      const add = (uid: string, node: DraftedWindows) => {
        const id = draft.add({ ...node, kind: 'window', inputs, uid: draft.claim(uid) });
        return withLate(draft, id);
      };
      return windowedStream<K, T>({ where: `job ${draft.name}`, add }, windows, options);
    },
    reduce: (uid, fn, serde) => {
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
    sum: (uid, selector) => {
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
