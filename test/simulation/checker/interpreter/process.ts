import { byName } from '../../../../lib/config/by-name.ts';
import type { KeyedContext, ProcessNode, Timers } from '../../../../lib/graph/job.ts';
import { type Epoch, giveAside, type TimeTold } from './epoch.ts';
import type { Handle } from './handles.ts';
import { copied, decoded, type Row, type RowKey } from './rows.ts';
import { leastDue, type TimersHandle } from './timers.ts';
import { compareOrigins, firstOf, originOfTimer, rowsIn, type WaitingHandle } from './waiting.ts';

/** Names of the states that an operator's author does not see. */
const TIMERS = '@timers';
const WAITING = '@waiting';
/** Under which the state is kept that has no key. */
const NO_KEY = '';

/**
 * First what was broadcast, once and for all subtasks. Then one subtask after the other: each works on its keys' rows in their order, and
 * then has fire what is due.
 */
export function process(node: ProcessNode, input: readonly Row[], epoch: Epoch): readonly Row[] {
  const { told, stateOf } = epoch;
  const byKey = node.onRecord.length;
  for (const row of input.filter(({ input: of = 0 }) => of >= byKey).toSorted((one, other) => compareOrigins(one.origin, other.origin)))
    hear(node, row, epoch);
  const subtaskOf = (key: Buffer) => told.subtaskOf(node.uid, key);
  const keyed = input.filter(({ input: of = 0 }) => of < byKey);
  const rows = Map.groupBy(keyed, ({ key }) => subtaskOf(keyOf(node, key).bytes));
  const withState = Map.groupBy(stateOf(node).keys.keys(), (key) => subtaskOf(Buffer.from(key, 'latin1')));
  const subtasks = [...new Set([...rows.keys(), ...withState.keys()])].sort((one, other) => one - other);
  return subtasks.flatMap((subtask) => [
    ...(rows.get(subtask) ?? []).flatMap((row) => processOne(node, row, epoch)),
    ...fireIn(node, epoch, (key) => subtaskOf(key) === subtask),
  ]);
}

function hear(node: ProcessNode, { value, timestamp, input = 0 }: Row, { told, broadcastStateOf }: Epoch): void {
  const time = told.timeOf(node.uid);
  broadcastStateOf(node).workOn(NO_KEY, (states) => {
    node.broadcast?.onRecord[input - node.onRecord.length]?.(value, states, {
      timestamp,
      watermarkMs: time?.beforeMs ?? Number.NEGATIVE_INFINITY,
      processingTimeMs: time?.processingMs ?? Number.NaN,
    });
  });
}

function processOne(node: ProcessNode, row: Row, epoch: Epoch): readonly Row[] {
  const { value, timestamp, origin, input = 0 } = row;
  const key = keyOf(node, row.key);
  const beforeMs = epoch.told.timeOf(node.uid)?.beforeMs;
  if (!node.inTimeOrder)
    return workOn(node, epoch, { key, timestamp, origin, watermarkMs: beforeMs }, (states, out, context) => {
      node.onRecord[input]?.(value, states, out, context);
    });
  if (epoch.told.isLate?.(node.uid, origin) ?? (beforeMs !== undefined && timestamp <= beforeMs)) {
    giveAside(epoch, node, 'late', row);
    return [];
  }
  epoch.stateOf(node).workOn(key.bytes.toString('latin1'), ({ [WAITING]: handle }) => {
    if (node.onRecord.length === 1) (handle as WaitingHandle).put(timestamp, origin, undefined, value);
    else (handle as WaitingHandle).put(timestamp, origin, input, { input, value });
  });
  return [];
}

/** One after the other, always the first of what is due then: timers, and rows that have waited. */
function fireIn(node: ProcessNode, epoch: Epoch, isOwn: (key: Buffer) => boolean): readonly Row[] {
  const { told, stateOf } = epoch;
  const { onTimer, onRecord, inTimeOrder } = node;
  const time = told.timeOf(node.uid);
  if (time === undefined) return [];
  const serde = told.keySerdeOf(node.uid);
  const made: Row[] = [];
  for (;;) {
    const { keys } = stateOf(node);
    const ripe = rowsIn(keys, isOwn).filter(({ timeMs }) => timeMs <= (time.afterMs ?? Number.NEGATIVE_INFINITY));
    const row = firstOf(ripe, told.keyGroupOf);
    const timer = onTimer === undefined ? undefined : leastDue(keys, time, told, isOwn);
    const isTimersTurn = timer !== undefined && (row === undefined || (timer.domain === 'event' && timer.timeMs < row.timeMs));
    if (isTimersTurn && onTimer !== undefined) {
      const { domain, timeMs } = timer;
      const watermarkMs = inTimeOrder && domain === 'event' ? timeMs : time.afterMs;
      const of = { key: { bytes: timer.key, serde }, timestamp: timeMs, watermarkMs, origin: originOfTimer(node.uid, domain, timer.key) };
      const work = workOn(node, epoch, of, (states, out, context, { timers }) => {
        timers?.delete(domain, timeMs);
        onTimer({ domain, timeMs }, states, out, context);
      });
      made.push(...work);
    } else if (row !== undefined) {
      const { key: bytes, timeMs: timestamp, origin, name } = row;
      const work = workOn(
        node,
        epoch,
        { key: { bytes, serde }, timestamp, watermarkMs: timestamp - 1, origin },
        (states, out, context, { waiting }) => {
          const taken = waiting?.take(name);
          if (onRecord.length === 1) return void onRecord[0]?.(taken, states, out, context);
          // Of which input it is, is told by its place: the serde is the engine's.
          onRecord[row.input]?.((taken as { readonly value: unknown }).value, states, out, context);
        },
      );
      made.push(...work);
    } else return made;
  }
}

interface Of {
  readonly key: RowKey;
  readonly timestamp: number;
  readonly watermarkMs: number | undefined;
  readonly origin: string;
}

/** What of the states is not the author's. */
interface Hidden {
  readonly timers: TimersHandle | undefined;
  readonly waiting: WaitingHandle | undefined;
}

type Context = KeyedContext<unknown, Readonly<Record<string, { emit(value: unknown): void }>>>;
type Work = (states: unknown, out: { emit(value: unknown): void }, context: Context, hidden: Hidden) => void;

function workOn(node: ProcessNode, epoch: Epoch, of: Of, work: Work): readonly Row[] {
  const { told, stateOf, broadcastStateOf } = epoch;
  const { key, timestamp, origin } = of;
  const emitted: Row[] = [];
  const madeOf = (result: unknown): Row => ({ value: copied(result), timestamp, key, origin });
  const out = { emit: (result: unknown) => void emitted.push(madeOf(result)) };
  const sideOutputs = byName(
    node.sideOutputs.map((tag) => [tag, { emit: (result: unknown) => giveAside(epoch, node, tag, madeOf(result)) }] as const),
  );
  stateOf(node).workOn(key.bytes.toString('latin1'), ({ [TIMERS]: timers, [WAITING]: waiting, ...states }) => {
    const hidden = { timers: timers as TimersHandle | undefined, waiting: waiting as WaitingHandle | undefined };
    broadcastStateOf(node).workOn(NO_KEY, (ofAll) => {
      work({ ...states, ...sealed(ofAll) }, out, contextOf(node, { ...of, sideOutputs }, told.timeOf(node.uid), timers), hidden);
    });
  });
  return emitted;
}

const CHANGES: readonly PropertyKey[] = ['set', 'update', 'add', 'delete', 'clear'];

/** What was broadcast is only read behind that: whoever changes it gets an error, and it stays as it is. */
function sealed(handles: Readonly<Record<string, Handle>>): Readonly<Record<string, Handle>> {
  const get = (of: Handle, name: PropertyKey): unknown => {
    if (CHANGES.includes(name)) return refuse;
    const found: unknown = Reflect.get(of, name, of);
    return typeof found === 'function' ? found.bind(of) : found;
  };
  return Object.fromEntries(Object.entries(handles).map(([name, handle]) => [name, new Proxy(handle, { get })]));
}

function refuse(): never {
  throw new TypeError('what was broadcast is only read');
}

function contextOf(
  node: ProcessNode,
  { key, timestamp, watermarkMs, sideOutputs }: Omit<Of, 'origin'> & { readonly sideOutputs: Context['sideOutputs'] },
  time: TimeTold | undefined,
  handle: Handle | undefined,
): Context {
  const timers = handle as TimersHandle | undefined;
  return {
    key: decoded(key.serde, key.bytes),
    timestamp,
    sideOutputs,
    get watermarkMs() {
      return watermarkMs ?? Number.NEGATIVE_INFINITY;
    },
    get processingTimeMs() {
      if (time === undefined) throw new TypeError(`${node.uid} reads the time of a job that does not use it`);
      return time.processingMs;
    },
    get timers(): Timers {
      if (timers === undefined) throw new TypeError(`${node.uid} has no timers`);
      return {
        setEventTime: (timeMs) => timers.set('event', timeMs),
        deleteEventTime: (timeMs) => timers.delete('event', timeMs),
        setProcessingTime: (timeMs) => timers.set('processing', timeMs),
        deleteProcessingTime: (timeMs) => timers.delete('processing', timeMs),
      };
    },
  };
}

function keyOf({ uid }: ProcessNode, key: RowKey | undefined): RowKey {
  if (key === undefined) throw new TypeError(`${uid} is given a row without a key`);
  return key;
}
