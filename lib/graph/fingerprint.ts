import { byName, ofName } from '../config/by-name.ts';
import { notReadable, readsSerdes, type StoredState } from '../state/stored-state.ts';
import type { JobGraph } from './graph.ts';
import { broadcastStateName } from './job.ts';

/**
 * What must not change while a job has state, as canonical text (not a hash, so that a difference can be named):
 *
 * - the uid of every source (its offsets are kept under it) and of every sink (its transactional ids hold it);
 * - the uid of every keyed operator that has state, its key serde, and of each of its states the name, the kind and the serdes;
 *   the same of its broadcast state, which has no key;
 * - the uids and names that sources, operators and states say that they had before, and what serdes of before a state reads.
 *
 * Everything else may change between two runs of a job: functions, topics, serdes of sources, exchanges and sinks,
 * operators without state, order of definition, parallelism. Of the above, adding is compatible and taking away is not
 * (`checkCompatible`). `maxParallelism` is kept beside the fingerprint and can never change.
 *
 * Version 1 is still read: of each state it has the name of one serde; its kind is `value`.
 */
export function fingerprint(graph: JobGraph): string {
  const identity: Identity = { version: VERSION, sources: [], sinks: [], operators: byName() };
  const formerly: [string, readonly string[]][] = [];
  for (const node of graph.nodes) {
    if ('formerly' in node && node.formerly !== undefined) formerly.push([node.uid, node.formerly as readonly string[]]);
    if (node.kind === 'source') identity.sources.push(node.uid);
    if (node.kind === 'sink') {
      identity.sinks.push(node.uid);
      continue;
    }
    if (!('states' in node)) continue;
    if (node.states.length > 0) identity.operators[node.uid] = { key: node.key, states: identitiesOf(node.states) };
    const { broadcastStates = [] } = node.kind === 'process' ? node : {};
    if (broadcastStates.length > 0) identity.operators[broadcastStateName(node.uid)] = { key: '', states: identitiesOf(broadcastStates) };
  }
  identity.sources.sort();
  identity.sinks.sort();
  if (formerly.length > 0) identity.formerly = sortedRecord(formerly);
  return JSON.stringify({ ...identity, operators: sortedRecord(Object.entries(identity.operators)) });
}

/**
 * `same`: though one may be of an earlier version. `changed` and `incompatible` name every difference, for the log or the error: what is
 * new, what goes on under another name, what cannot go on.
 */
export type Compatibility =
  | { readonly outcome: 'same' }
  | { readonly outcome: 'changed'; readonly added: readonly string[]; readonly renamed: readonly string[] }
  | { readonly outcome: 'incompatible'; readonly differences: readonly string[] };

/**
 * May a job with fingerprint `next` go on from what a job with fingerprint `previous` left? New sources, sinks,
 * operators and states may come (they start empty; a new source starts at its starting offsets). What holds offsets,
 * state or transactions may not go, nor change its serde or its kind: nothing is ever dropped in silence. What says that it had
 * another name before (`formerly`) is what had that name.
 */
export function checkCompatible(previous: string, next: string): Compatibility {
  if (previous === next) return { outcome: 'same' };
  const after = parseFingerprint(next);
  const { before, renamed } = underNewNames(parseFingerprint(previous), after);
  const found: Differences = { broken: [], added: [], renamed };
  compareNames({ what: 'source', loses: () => ', and with it its offsets', mend: mendOfUid }, before.sources, after.sources, found);
  compareNames({ what: 'sink' }, before.sinks, after.sinks, found);
  const lost = (uid: string) => `, and with it its state ${Object.keys(ofName(before.operators, uid)?.states ?? {}).join(', ')}`;
  compareNames(
    { what: 'keyed operator', loses: lost, mend: mendOfUid },
    Object.keys(before.operators),
    Object.keys(after.operators),
    found,
  );
  for (const [uid, was] of Object.entries(before.operators)) {
    const is = ofName(after.operators, uid);
    if (is === undefined) continue;
    if (is.key !== was.key)
      found.broken.push(
        `key serde of ${uid} was ${was.key} and is now ${is.key}: its bytes say where a key's state is, so it cannot be migrated (write the state anew: onceflow state read, state write)`,
      );
    compareStates(uid, was.states, is.states, found);
  }
  const { broken, added } = found;
  if (broken.length > 0) return { outcome: 'incompatible', differences: broken };
  return added.length + renamed.length > 0 ? { outcome: 'changed', added, renamed } : { outcome: 'same' };
}

/** By the uids of sources and operators, those that they had before. */
export function formerUids(text: string): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(parseFingerprint(text).formerly ?? {}));
}

/** The states of an operator, or what it keeps of its broadcast inputs. Undefined: it has none, or is none of the job's. */
export function statesIn(text: string, operator: string): readonly StoredState[] | undefined {
  const identity = ofName(parseFingerprint(text).operators, operator);
  return identity && Object.entries(identity.states).map(([name, state]) => ({ name, ...state }));
}

/** The states of what is this operator in the graph of now, as a graph before has them: there it may have another uid. */
export function statesBefore(before: string, now: string, operator: string): readonly StoredState[] | undefined {
  const former = formerOperatorNames(operator, parseFingerprint(now).formerly);
  return [operator, ...former].map((name) => statesIn(before, name)).find((states) => states !== undefined);
}

/** A fingerprint without sources, operators and sinks of these uids. `unknown`: those that it has nothing of. `known`: all that it has something of. */
export function withoutUids(
  text: string,
  uids: readonly string[],
): { readonly fingerprint: string; readonly unknown: readonly string[]; readonly known: readonly string[] } {
  const { sources, sinks, operators, ...rest } = parseFingerprint(text);
  const known = [...sources, ...sinks, ...Object.keys(operators)];
  const isLeft = (uid: string) => !uids.includes(uid) && !uids.some((dropped) => uid === broadcastStateName(dropped));
  const left = Object.entries(operators).filter(([uid]) => isLeft(uid));
  const fingerprint = JSON.stringify({
    ...rest,
    sources: sources.filter(isLeft),
    sinks: sinks.filter(isLeft),
    operators: sortedRecord(left),
  });
  const unknown = uids.filter((uid) => !known.includes(uid) && !known.includes(broadcastStateName(uid)));
  return { fingerprint, unknown, known };
}

const VERSION = 2;

interface Identity {
  version: typeof VERSION;
  sources: string[];
  sinks: string[];
  operators: Record<string, OperatorIdentity>;
  /** By uid of a source or an operator. Undefined: none had another. */
  formerly?: Record<string, readonly string[]>;
}

interface OperatorIdentity {
  readonly key: string;
  readonly states: Record<string, StateIdentity>;
}

/** Names of its serdes are in the order that the kind says. */
type StateIdentity = Omit<StoredState, 'name'>;

/** As builds wrote it that knew value states alone. */
interface FirstIdentity extends Pick<Identity, 'sources' | 'sinks'> {
  version: 1;
  operators: Record<string, { key: string; states: Record<string, string> }>;
}

interface Differences {
  readonly broken: string[];
  readonly added: string[];
  readonly renamed: string[];
}

function parseFingerprint(text: string): Identity {
  const parsed = JSON.parse(text) as Identity | FirstIdentity;
  if (parsed.version === VERSION) return parsed;
  if (parsed.version === 1) return withKinds(parsed);
  throw new Error(
    `the job's row holds a fingerprint of version ${(parsed as { version: unknown }).version}, and this build reads versions 1 to ${VERSION}: run the build that wrote it, or a later one`,
  );
}

function withKinds({ sources, sinks, operators }: FirstIdentity): Identity {
  const known = Object.entries(operators).map(([uid, { key, states }]) => {
    const values = Object.entries(states).map(([name, serde]) => [name, { kind: 'value', serdes: [serde] }] as const);
    return [uid, { key, states: byName<StateIdentity>(values) }] as const;
  });
  return { version: VERSION, sources, sinks, operators: byName(known) };
}

/** What was, with the uids and names that the job of now gives it. */
function underNewNames(was: Identity, is: Identity): { readonly before: Identity; readonly renamed: string[] } {
  const renamed: string[] = [];
  const newNameIn = (what: string, known: readonly string[], now: readonly string[], formerlyOf: (name: string) => readonly string[]) => {
    const names = now.flatMap((name): [string, string][] => {
      const former = known.includes(name) ? undefined : formerlyOf(name).find((each) => known.includes(each) && !now.includes(each));
      return former === undefined ? [] : [[former, name]];
    });
    for (const [former, name] of names) renamed.push(`${what} ${name} goes on as what ${former} was`);
    const byFormer = new Map(names);
    return (name: string) => byFormer.get(name) ?? name;
  };
  const formerUidsOf = (uid: string) => ofName(is.formerly, uid) ?? [];
  const formerOperatorsOf = (name: string) => formerOperatorNames(name, is.formerly);
  const sourceNow = newNameIn('source', was.sources, is.sources, formerUidsOf);
  const operatorNow = newNameIn('keyed operator', Object.keys(was.operators), Object.keys(is.operators), formerOperatorsOf);
  const operators = Object.entries(was.operators).map(([former, operator]): [string, OperatorIdentity] => {
    const uid = operatorNow(former);
    const { states = {} } = ofName(is.operators, uid) ?? {};
    const [known, now] = [Object.keys(operator.states), Object.keys(states)];
    const stateNow = newNameIn(`state of ${uid}:`, known, now, (name) => ofName(states, name)?.formerly ?? []);
    return [uid, { ...operator, states: byName(Object.entries(operator.states).map(([name, state]) => [stateNow(name), state])) }];
  });
  return { before: { ...was, sources: was.sources.map(sourceNow), operators: byName(operators) }, renamed };
}

/** What is kept of an operator, or of its broadcast state, was kept under these. */
function formerOperatorNames(name: string, formerly: Identity['formerly'] = {}): readonly string[] {
  const uid = Object.keys(formerly).find((each) => name === broadcastStateName(each));
  return uid === undefined ? (ofName(formerly, name) ?? []) : (ofName(formerly, uid) ?? []).map(broadcastStateName);
}

function compareStates(uid: string, before: OperatorIdentity['states'], after: OperatorIdentity['states'], found: Differences): void {
  const mend = (name: string, now: string) => `renamed(…, { formerly: '${name}' }) at ${now}`;
  compareNames({ what: `state of ${uid}:`, mend }, Object.keys(before), Object.keys(after), found);
  for (const [state, stored] of Object.entries(before)) {
    const now = ofName(after, state);
    if (now !== undefined) compareState(uid, { name: state, ...stored }, { name: state, ...now }, found.broken);
  }
}

function compareState(uid: string, was: StoredState, is: StoredState, broken: string[]): void {
  const what = `state of ${uid}: ${is.name}`;
  if (was.kind !== is.kind) {
    broken.push(
      `${what} was a ${was.kind} state and is now a ${is.kind} state: keep it as it was, and give the ${is.kind} state another name`,
    );
    return;
  }
  if (!readsSerdes(is, was.serdes)) broken.push(`${what} ${notReadable(was.serdes, is)}`);
}

/** What names are of, what is lost with one that is gone, and what is written of one that has another name now. */
interface Named {
  readonly what: string;
  readonly loses?: (name: string) => string;
  readonly mend?: (name: string, now: string) => string;
}

function compareNames({ what, loses, mend }: Named, before: readonly string[], after: readonly string[], found: Differences): void {
  const added = after.filter((name) => !before.includes(name));
  for (const name of before) {
    if (after.includes(name)) continue;
    const [now] = added;
    const hint = now === undefined || mend === undefined ? '' : ` (if it is ${added.join(' or ')} now: ${mend(name, now)})`;
    found.broken.push(`${what} ${name} is gone${loses?.(name) ?? ''}${hint}`);
  }
  for (const name of added) found.added.push(`${what} ${name} is new`);
}

function mendOfUid(uid: string, now: string): string {
  return `{ uid: '${now}', formerly: '${uid}' } in place of its uid`;
}

function identitiesOf(states: readonly StoredState[]): Record<string, StateIdentity> {
  return sortedRecord(states.map(({ name, ...identity }): [string, StateIdentity] => [name, identity]));
}

function sortedRecord<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return byName([...entries].sort(([left], [right]) => (left < right ? -1 : 1)));
}
