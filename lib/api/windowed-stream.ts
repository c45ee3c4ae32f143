import type { Serde } from '../format/serde.ts';
import { JobDefinitionError, type NoSideOutputs, type Output, type WindowNode } from '../graph/job.ts';
import type { WindowContext, WindowFold, WindowProcess, WindowProcessContext } from '../graph/windows.ts';
import { sharesSlices, windowStates } from '../operators/kinds/window/states.ts';
import { initialOf } from '../state/columns/value.ts';
import type { SideOutputSpecs, SideOutputs } from './side-outputs.ts';
import type { WindowedStream, WindowProcessOptions, WindowStream, WithSideOutputs } from './streams.ts';
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
interface WindowsDraft {
  /** Begins messages. */
  readonly where: string;
  add(uid: string, node: DraftedWindows, sideOutputs?: SideOutputSpecs): unknown;
  /** The names of side outputs, checked. */
  sideOutputNames(uid: string, specs: SideOutputSpecs | undefined): readonly string[];
}

export type DraftedWindows = Pick<WindowNode, 'states' | 'shape' | 'make' | 'allowedLatenessMs' | 'earlyEveryMs' | 'time'>;

/** How is written what is kept of values: of all together, or of each. */
interface Kept {
  readonly accumulator?: Serde<unknown>;
  readonly value?: Serde<unknown>;
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
  const statesOf = (make: WindowFold | WindowProcess, { accumulator, value }: Kept) =>
    windowStates({ shape, time: common.time, accumulator, value, inSlices: sharesSlices(shape, make) });
  const addFold = (uid: string, make: WindowFold, accumulator: Serde<unknown>) =>
    draft.add(uid, { ...common, make, states: statesOf(make, { accumulator }) });

  return {
    aggregate<A, R>(uid: string, aggregate: WindowAggregate<K, T, A, R>) {
      const at = `${where}: aggregate ${uid}`;
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
    reduce(uid, fn, serde) {
      const at = `${where}: reduce ${uid}`;
      refuseAsync(fn, at);
      expectSerde(serde, at);
      const reduce = fn as (one: unknown, other: unknown) => unknown;
      const fold: WindowFold = { kind: 'fold', first: (value) => value, add: reduce, merge: reduce, result: plainResult };
      return addFold(uid, fold, serde as Serde<unknown>) as WindowStream<WindowResult<K, T>, T>;
    },
    process<R, O extends SideOutputSpecs = NoSideOutputs>(
      uid: string,
      fn: (values: readonly T[], context: WindowProcessContext<K, SideOutputs<O>>, out: Output<R>) => void,
      serde: Serde<T>,
      { sideOutputs }: WindowProcessOptions<O> = {},
    ) {
      const at = `${where}: process ${uid}`;
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
  };
}

function plainResult(value: unknown, { key, startMs, endMs }: WindowContext<unknown>): WindowResult<unknown, unknown> {
  return { key, startMs, endMs, value };
}
