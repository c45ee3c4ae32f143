import { isName, NAME_RULE } from '../config/names.ts';
import type { Serde } from '../format/serde.ts';
import { float64, structured } from '../format/serdes.ts';
import { type JobDefinition, JobDefinitionError, type JobNode, type ProcessNode } from '../graph/job.ts';
import { compilePlan } from '../plan/compile.ts';
import { type SinkSpec, serdesOfSink } from '../sinks/connectors.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import type { TimeDomain } from '../state/columns/timers.ts';
import type { KafkaSink, KafkaSource } from './kafka.ts';
import { declareState, type StateSpecs, type ValueStateSpec, valueState } from './state.ts';
import type { DataStream, KeyedOperator, KeyedStream, KeySum, OrderedStream } from './streams.ts';
import { refuseAsync } from './user-function.ts';
import { expectKeySerde, expectSerde } from './user-serde.ts';
import { type DraftedWindows, windowedStream } from './windowed-stream.ts';
import type { CountWindows, TimeWindows, WindowOptions } from './windows.ts';

/** What a job's definition adds its sources to. */
export interface JobBuilder {
  /** Reads a topic. `uid` names the source's offsets: 1 to 60 of a-z 0-9 -, unique in the job. */
  source<T>(uid: string, source: KafkaSource<T>): DataStream<T>;
}

/**
 * Defines a job; `define` adds its sources and what is behind them, and is called once, here. Throws
 * `JobDefinitionError` when the job is not well-formed.
 *
 * @example
 * export default defineJob('upper-case', (job) => {
 *   job
 *     .source('read-lines', kafkaSource({ topic: 'lines', value: utf8 }))
 *     .map((line) => line.toUpperCase())
 *     .sink('write-lines', kafkaSink({ topic: 'upper-lines', value: utf8 }));
 * });
 */
export function defineJob(name: string, define: (job: JobBuilder) => void): JobDefinition {
  const draft = new JobDraft(name);
  checkJobName(name);
  refuseAsync(define, `the definition of job ${name}`);
  define({
    source(uid, source) {
      const { topic, startingOffsets, key, value, select, eventTime } = source;
      expectSerde(value, `job ${name}: value of source ${uid}`);
      if (key !== undefined) expectSerde(key, `job ${name}: key of source ${uid}`);
      const node = { kind: 'source', uid: draft.claim(uid), topic, startingOffsets, key, value, select, eventTime } as const;
      return stream(draft, draft.add(node));
    },
  });
  const job: JobDefinition = { name, nodes: draft.nodes };
  if (job.nodes.length === 0) throw new JobDefinitionError(`job ${name} has no source`);
  compilePlan(job);
  return job;
}

function checkJobName(name: string): void {
  if (typeof name === 'string' && isName(name)) return;
  throw new JobDefinitionError(`job ${name}: job name ${JSON.stringify(name)} must be ${NAME_RULE}`);
}

type UserFunction = (value: unknown) => unknown;
type Draft<N> = N extends JobNode ? Omit<N, 'id'> : never;

class JobDraft {
  readonly name: string;
  readonly nodes: JobNode[] = [];
  readonly #uids = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  /** Adds a node and returns its id. */
  add(node: Draft<JobNode>): number {
    const id = this.nodes.length;
    this.nodes.push({ ...node, id } as JobNode);
    return id;
  }

  claim(uid: string): string {
    this.checkName(uid, 'uid');
    if (this.#uids.has(uid))
      throw new JobDefinitionError(`job ${this.name}: uid ${uid} is used twice; uids name state, offsets and transactions and must differ`);
    this.#uids.add(uid);
    return uid;
  }

  checkName(name: string, what: string): void {
    if (typeof name === 'string' && /^[a-z0-9-]{1,60}$/.test(name)) return;
    throw new JobDefinitionError(
      `job ${this.name}: ${what} ${JSON.stringify(name)} must be 1 to 60 characters of a-z 0-9 - (it is part of blob names and transactional ids)`,
    );
  }

  where(what: string): string {
    return `job ${this.name}: the function of ${what}`;
  }
}

function stream<T>(draft: JobDraft, input: number): DataStream<T> {
  const inputs = [input];
  const step = <U>(kind: 'map' | 'filter' | 'flatMap', fn: unknown): DataStream<U> => {
    refuseAsync(fn, draft.where(kind), kind === 'flatMap' ? 'allowed' : 'refused');
    return stream<U>(draft, draft.add({ kind, inputs, fn: fn as UserFunction }));
  };
  return {
    map: (fn) => step('map', fn),
    filter: <U>(fn: unknown) => step<U>('filter', fn),
    flatMap: (fn) => step('flatMap', fn),
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
}

/** No state of an author's can have this name. */
const TIMERS: StateDeclaration = { kind: 'timers', name: '@timers', serdes: [] };

/** Rows wait as they cross the exchange. */
function waitingOf({ nodes }: JobDraft, input: number): StateDeclaration {
  const keyBy = nodes[input];
  if (keyBy?.kind !== 'keyBy') throw new Error(`node ${input} is no keyBy`);
  return { kind: 'waiting', name: '@waiting', serdes: [keyBy.value] };
}

/** The side output is there when somebody asks for it. */
function withLate<R, T>(made: DataStream<R>, late: () => DataStream<T>): OrderedStream<R, T> {
  let known: DataStream<T> | undefined;
  return {
    ...made,
    get late() {
      known ??= late();
      return known;
    },
  };
}

type TimeOptions = Pick<KeyedOperator<unknown, unknown, StateSpecs, unknown>, 'onTimer' | 'timers' | 'usesTime' | 'inTimeOrder'>;

function timeOf(draft: JobDraft, uid: string, { onTimer, timers, usesTime, inTimeOrder }: TimeOptions): TimeDomain | undefined {
  if (timers !== undefined && timers !== 'processing-time')
    throw new JobDefinitionError(`job ${draft.name}: timers of ${uid} is ${JSON.stringify(timers)}, and may only be 'processing-time'`);
  if (inTimeOrder === true) return 'event';
  if (onTimer === undefined) return usesTime === true || timers !== undefined ? 'processing' : undefined;
  return timers === undefined ? 'event' : 'processing';
}

function keyedStream<K, T>(draft: JobDraft, input: number): KeyedStream<K, T> {
  const inputs = [input];
  const lateOf = (id: number) => () => stream<T>(draft, draft.add({ kind: 'sideOutput', inputs: [id], tag: 'late' }));
  const process = <S extends StateSpecs, R>(uid: string, operator: KeyedOperator<K, T, S, R>): DataStream<R> => {
    refuseAsync(operator.onRecord, draft.where(uid));
    if (operator.onTimer !== undefined) refuseAsync(operator.onTimer, `${draft.where(uid)}: onTimer`);
    const declared = Object.entries(operator.state).map(([name, spec]): StateDeclaration => {
      draft.checkName(name.toLowerCase(), `state name of ${uid}`);
      return declareState(spec, name, `job ${draft.name}: state ${name} of ${uid}`);
    });
    const onRecord = operator.onRecord.bind(operator) as unknown as ProcessNode['onRecord'];
    const onTimer = operator.onTimer?.bind(operator) as unknown as ProcessNode['onTimer'];
    const inTimeOrder = operator.inTimeOrder === true;
    const states = [...declared, ...(inTimeOrder ? [waitingOf(draft, input)] : []), ...(onTimer === undefined ? [] : [TIMERS])];
    const expires = declared.some(({ ttl }) => ttl !== undefined);
    const time = timeOf(draft, uid, operator) ?? (expires ? 'processing' : undefined);
    const id = draft.add({ kind: 'process', inputs, uid: draft.claim(uid), states, onRecord, onTimer, inTimeOrder, time });
    return inTimeOrder ? withLate(stream<R>(draft, id), lateOf(id)) : stream<R>(draft, id);
  };
  return {
    process: process as KeyedStream<K, T>['process'],
    window: (windows: TimeWindows | CountWindows, options?: WindowOptions) => {
      const add = (uid: string, node: DraftedWindows) => {
        const id = draft.add({ ...node, kind: 'window', inputs, uid: draft.claim(uid) });
        return withLate(stream(draft, id), lateOf(id));
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
}
