import { ByteWriter } from '../format/byte-writer.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import type { TimeDomain } from '../state/columns/timers.ts';
import type { StateSet } from '../state/state-set.ts';
import { fromJsonable } from './from-jsonable.ts';

/** Which state of a set is written. The key is the current one. */
interface StateOfKey {
  readonly set: StateSet;
  readonly state: StateDeclaration;
}

/** How states of a kind are written from what `jsonable` gives of them. */
interface WritableKind<K extends StateDeclaration['kind']> {
  /** The state that is opened in its place, to be written. */
  opened(state: StateDeclaration<K>): StateDeclaration;
  put(of: StateOfKey, value: unknown): void;
}

const asItIs = <S extends StateDeclaration>(state: S) => state;

/** What is made of values that are added holds, in a snapshot, what a value state does: so it can be set. */
const asValue = ({ name, serdes, ttl }: StateDeclaration<'reducing' | 'aggregating'>): StateDeclaration => ({
  kind: 'value',
  name,
  serdes,
  ttl,
  initial: undefined,
});

/** A new kind of state is a line here: without it this does not compile. */
const kinds: { readonly [K in StateDeclaration['kind']]: WritableKind<K> } = {
  value: { opened: asItIs, put: putValue },
  reducing: { opened: asValue, put: putValue },
  aggregating: { opened: asValue, put: putValue },
  list: { opened: asItIs, put: putList },
  map: { opened: asItIs, put: putMap },
  timers: { opened: asItIs, put: putTimers },
  waiting: { opened: asItIs, put: putWaiting },
};

function kindOf({ kind }: StateDeclaration): WritableKind<StateDeclaration['kind']> {
  return kinds[kind] as WritableKind<StateDeclaration['kind']>;
}

/** The state that is to be opened for a state to be written. */
export function openedToWrite(state: StateDeclaration): StateDeclaration {
  return kindOf(state).opened(state);
}

/**
 * Writes what a state holds of the current key. A value that its serde cannot write is refused here at the latest when the set takes it back.
 *
 * @throws TypeError, and what serdes throw
 */
export function putState(set: StateSet, state: StateDeclaration, value: unknown): void {
  kindOf(state).put({ set, state }, value);
}

const scratch = new ByteWriter();

function putValue({ set, state }: StateOfKey, value: unknown): void {
  const held = fromJsonable(value);
  // Such a state is encoded when a snapshot is made: then nobody knows of which line it was.
  scratch.reset();
  state.serdes[0]?.write(held as never, scratch);
  (set.handles[state.name] as { set(value: unknown): void }).set(held);
}

function putList({ set, state }: StateOfKey, value: unknown): void {
  const handle = set.handles[state.name] as { add(value: unknown): void };
  for (const each of listIn(value)) handle.add(fromJsonable(each));
}

function putMap({ set, state }: StateOfKey, value: unknown): void {
  const handle = set.handles[state.name] as { set(key: unknown, value: unknown): void };
  for (const entry of listIn(value)) {
    const [key, of] = listIn(entry);
    handle.set(fromJsonable(key), fromJsonable(of));
  }
}

type TimesByDomain = Readonly<Record<TimeDomain, readonly number[]>>;

function putTimers({ set }: StateOfKey, value: unknown): void {
  const { event = [], processing = [] } = value as Partial<TimesByDomain>;
  const times: TimesByDomain = { event, processing };
  for (const domain of Object.keys(times) as TimeDomain[]) for (const timeMs of times[domain]) set.timers?.set(domain, timeMs);
}

function putWaiting(): never {
  throw new TypeError('records that wait for their time cannot be written: send them to the topic');
}

function listIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${JSON.stringify(value)} is no list`);
}
