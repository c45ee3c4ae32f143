import type { Serde } from '../format/serde.ts';
import { type BroadcastContext, JobDefinitionError, type KeyedContext, type NoSideOutputs, type Output, type Timer } from '../graph/job.ts';
import { stream, withLate, withSideOutputs } from './draft-streams.ts';
import { draftedOf } from './drafted.ts';
import { expectGiven } from './expect-given.ts';
import type { JobDraft } from './job-draft.ts';
import { type EveryOption, expectNoneMisspelt } from './known-options.ts';
import { addProcess, boundTo, type DraftedProcess } from './process.ts';
import type { SideOutputSpecs, SideOutputs } from './side-outputs.ts';
import type { StateHandles, StateSpecs } from './state.ts';
import type { BroadcastStream, DataStream, KeyedStream, OrderedStream, WithSideOutputs } from './streams.ts';
import type { Uid } from './uid.ts';

/** Streams by names of the author's: brought together by one key, or broadcast. */
export type ConnectInputs = Readonly<Record<string, KeyedStream<unknown, unknown> | BroadcastStream<unknown>>>;

/** The same handles without what changes the state. */
export type ReadonlyStateHandles<S extends StateSpecs> = {
  readonly [Name in keyof StateHandles<S>]: Omit<StateHandles<S>[Name], 'set' | 'update' | 'add' | 'delete' | 'clear'>;
};

/** The key of all streams that are brought together by one. */
type KeyOf<I extends ConnectInputs> = { [N in keyof I]: I[N] extends KeyedStream<infer K, infer _> ? K : never }[keyof I];

/** The values of all streams that are brought together by key. */
type KeyedValueOf<I extends ConnectInputs> = { [N in keyof I]: I[N] extends KeyedStream<infer _, infer T> ? T : never }[keyof I];

/** What runs for each value of an input: with the state of its key, or if it is broadcast with what all keys have in common. */
type InputFunction<Input, K, S extends StateSpecs, B extends StateSpecs, R, O extends SideOutputSpecs> =
  Input extends BroadcastStream<infer T>
    ? (value: T, state: StateHandles<B>, context: BroadcastContext) => void
    : Input extends KeyedStream<infer _, infer T>
      ? (value: T, state: StateHandles<S> & ReadonlyStateHandles<B>, out: Output<R>, context: KeyedContext<K, SideOutputs<O>>) => void
      : never;

/** What runs for the values of several streams. */
export interface ConnectedOperator<
  I extends ConnectInputs,
  S extends StateSpecs,
  B extends StateSpecs,
  R,
  Q = R,
  O extends SideOutputSpecs = NoSideOutputs,
> {
  /** Of each key. @default none */
  readonly state?: S;
  /**
   * What is kept of the streams that are broadcast, the same for all keys. Their functions alone write it; the others, and `onTimer`, read
   * it, beside the state of their key. It has no time to live. @default none
   */
  readonly broadcastState?: B;
  /** By the names that `connect` was given. All emit values of one type. */
  readonly on: { readonly [N in keyof I]: InputFunction<I[N], KeyOf<I>, S, B, R, O> };
  /** As that of `process`. */
  onTimer?(
    timer: Timer,
    state: StateHandles<S> & ReadonlyStateHandles<B>,
    out: Output<Q>,
    context: KeyedContext<KeyOf<I>, SideOutputs<O>>,
  ): void;
  /** As that of `process`. */
  readonly timers?: 'processing-time';
  /** As that of `process`: the rows of all streams by key in one order of time. Not for streams that are broadcast. @default false */
  readonly inTimeOrder?: boolean;
  /** As those of `process`. What is broadcast emits nothing, nor aside. @default none */
  readonly sideOutputs?: O;
  /** As that of `process`. @default false */
  readonly usesTime?: boolean;
}

/** Several streams that one operator reads. */
export interface ConnectedStreams<I extends ConnectInputs> {
  /**
   * Runs a function for the values of each stream, all with the state of the key. `uid` names the state in snapshots.
   *
   * @example
   * connect({ clicks: clicks.keyBy(({ user }) => user, utf8), views: views.keyBy(({ visitor }) => visitor, utf8) }).process('seen', {
   *   state: { pages: mapState(utf8, int64) },
   *   on: {
   *     clicks({ page }, { pages }, out: Output<string>, { key }) {
   *       out.emit(`${key} has seen ${page} ${pages.get(page) ?? 0} times`);
   *     },
   *     views({ page }, { pages }) {
   *       pages.set(page, (pages.get(page) ?? 0) + 1);
   *     },
   *   },
   * });
   */
  process<
    S extends StateSpecs = Record<never, never>,
    B extends StateSpecs = Record<never, never>,
    R = never,
    Q = R,
    O extends SideOutputSpecs = NoSideOutputs,
  >(
    uid: Uid,
    operator: ConnectedOperator<I, S, B, R, Q, O> & { readonly inTimeOrder: true },
  ): WithSideOutputs<OrderedStream<R | Q, KeyedValueOf<I>>, O>;
  process<
    S extends StateSpecs = Record<never, never>,
    B extends StateSpecs = Record<never, never>,
    R = never,
    Q = R,
    O extends SideOutputSpecs = NoSideOutputs,
  >(uid: Uid, operator: ConnectedOperator<I, S, B, R, Q, O>): WithSideOutputs<DataStream<R | Q>, O>;
}

/**
 * Has one operator work on several streams, each by a function of its own, and all with the state of the key: Flink's `connect`, for up
 * to 32 streams. Their keys are written by one serde. Of an epoch the values of one stream come before those of the next, in the order
 * in which they are named here; `inTimeOrder` brings them into one order of time, and of one time into that order.
 *
 * A stream that is broadcast reaches all subtasks. Within an epoch its values come before all others, in the order of source, partition
 * and offset, and what its function makes of them is the same everywhere. It does not hold event time back.
 *
 * @example
 * connect({ orders: orders.keyBy(({ id }) => id, utf8), payments: payments.keyBy(({ order }) => order, utf8) }).process('match', {
 *   state: { order: valueState(json<Order>()) },
 *   on: {
 *     orders(order, state) {
 *       state.order.set(order);
 *     },
 *     payments({ amount }, { order }, out: Output<string>, { key }) {
 *       out.emit(`${key}: ${amount} of ${order.get()?.total ?? 'nothing'}`);
 *     },
 *   },
 * });
 * @example
 * connect({ payments: payments.keyBy(({ card }) => card, utf8), limits: limits.broadcast() }).process('check', {
 *   broadcastState: { limit: mapState(utf8, float64) },
 *   on: {
 *     limits({ country, most }, { limit }) {
 *       limit.set(country, most);
 *     },
 *     payments({ country, amount }, { limit }, out: Output<string>, { key }) {
 *       if (amount > (limit.get(country) ?? Number.POSITIVE_INFINITY)) out.emit(`${key} paid ${amount}`);
 *     },
 *   },
 * });
 */
export function connect<const I extends ConnectInputs>(inputs: I): ConnectedStreams<I> {
  const { draft, connected } = connectedOf(inputs);
  const process = (given: Uid, operator: AnyOperator): DataStream<unknown> => {
    const uid = draft.uidOf(given);
    const where = `job ${draft.name}: process ${uid}`;
    expectGiven(operator, where, '{ state: {}, on: { orders(value, state, out) { … } } }');
    expectNoneMisspelt(operator, OPERATOR_OPTIONS, where);
    const inTimeOrder = operator.inTimeOrder === true;
    const id = addProcess(draft, uid, draftedProcess(draft, uid, operator, connected));
    return withSideOutputs(draft, id, operator.sideOutputs, inTimeOrder ? withLate(draft, id) : stream(draft, id));
  };
  return { process: process as unknown as ConnectedStreams<I>['process'] };
}

const OPERATOR_OPTIONS: EveryOption<AnyOperator> = {
  state: true,
  broadcastState: true,
  on: true,
  onTimer: true,
  timers: true,
  usesTime: true,
  inTimeOrder: true,
  sideOutputs: true,
};

type AnyOperator = ConnectedOperator<ConnectInputs, StateSpecs, StateSpecs, unknown>;

interface Connected {
  readonly name: string;
  readonly node: number;
  /** How its values cross if it is broadcast. */
  readonly broadcast: Serde<unknown> | undefined;
}

/** Which of them a row is of, is one byte that no uid begins with. */
const MOST_STREAMS = 32;

function connectedOf(inputs: ConnectInputs): { readonly draft: JobDraft; readonly connected: readonly Connected[] } {
  const of = Object.entries(inputs ?? {}).map(([name, input]) => ({ name, input, drafted: draftedOf(input) }));
  const [first] = of;
  if (first === undefined)
    throw new JobDefinitionError('connect is given no stream: connect({ orders: orders.keyBy(…), payments: payments.keyBy(…) })');
  if (of.length > MOST_STREAMS) throw new JobDefinitionError(`connect is given ${of.length} streams, and takes ${MOST_STREAMS} at most`);
  const draft = first.drafted?.draft;
  const connected = of.map(({ name, input, drafted }): Connected => {
    if (drafted === undefined || drafted.of === 'stream')
      throw new JobDefinitionError(
        `${draft === undefined ? 'connect' : `job ${draft.name}: connect`}: ${name} is neither keyed nor broadcast: give it stream.keyBy(…) or stream.broadcast()`,
      );
    if (drafted.draft !== draft)
      throw new JobDefinitionError(`job ${draft?.name}: connect: ${name} is a stream of job ${drafted.draft.name}`);
    return { name, node: drafted.node, broadcast: drafted.of === 'broadcast' ? (input as BroadcastStream<unknown>).value : undefined };
  });
  if (draft === undefined) throw new Error('a stream of no job');
  if (connected.every(({ broadcast }) => broadcast !== undefined))
    throw new JobDefinitionError(
      `job ${draft.name}: connect is given no stream by key beside those that are broadcast: what reads them has one`,
    );
  const twice = connected.find(
    ({ node, broadcast }, at) => broadcast === undefined && connected.findIndex((each) => each.node === node) < at,
  );
  if (twice !== undefined)
    throw new JobDefinitionError(`job ${draft.name}: connect: ${twice.name} is given under two names: give one of them a keyBy of its own`);
  return { draft, connected };
}

function draftedProcess(draft: JobDraft, uid: string, operator: AnyOperator, connected: readonly Connected[]): DraftedProcess {
  const { state = {}, broadcastState = {}, on, onTimer, timers, usesTime, sideOutputs } = operator;
  const inTimeOrder = operator.inTimeOrder === true;
  const where = `job ${draft.name}: ${uid}`;
  const functions = new Map<string, unknown>(Object.entries(on ?? {}));
  for (const name of functions.keys())
    if (!connected.some((input) => input.name === name))
      throw new JobDefinitionError(`${where}: on.${name} is for no input: those are ${connected.map((input) => input.name).join(', ')}`);
  const taking = connected.map(({ name, node, broadcast }) => ({
    name,
    node,
    broadcast,
    onRecord: boundTo(on, functions.get(name), draft.where(`${uid}: on.${name}`)),
  }));
  const broadcasts = taking.flatMap(({ node, broadcast: value, onRecord }) => (value === undefined ? [] : [{ node, value, onRecord }]));
  if (broadcasts.length === 0 && Object.keys(broadcastState).length > 0)
    throw new JobDefinitionError(
      `${where}: has broadcastState, and none of its streams is broadcast: take it out, or give one of them .broadcast()`,
    );
  if (broadcasts.length > 0 && inTimeOrder)
    throw new JobDefinitionError(
      `${where}: is inTimeOrder, and what is broadcast to it has no place in that order: connect it to an operator before or behind this one`,
    );
  return {
    state,
    inputs: taking.filter(({ broadcast }) => broadcast === undefined),
    broadcast: broadcasts.length === 0 ? undefined : { state: broadcastState, inputs: broadcasts },
    onTimer: onTimer && boundTo(operator, onTimer, `${draft.where(uid)}: onTimer`),
    timers,
    usesTime,
    inTimeOrder,
    sideOutputs,
  };
}
