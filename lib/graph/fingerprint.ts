import { byName, ofName } from '../config/by-name.ts';
import type { StoredState } from '../state/stored-state.ts';
import type { JobGraph } from './graph.ts';
import { broadcastStateName } from './job.ts';

/**
 * What must not change while a job has state, as canonical text (not a hash, so that a difference can be named):
 *
 * - the uid of every source (its offsets are kept under it) and of every sink (its transactional ids hold it);
 * - the uid of every keyed operator that has state, its key serde, and of each of its states the name, the kind and the serdes;
 *   the same of its broadcast state, which has no key.
 *
 * Everything else may change between two runs of a job: functions, topics, serdes of sources, exchanges and sinks,
 * operators without state, order of definition, parallelism. Of the above, adding is compatible and taking away is not
 * (`checkCompatible`). `maxParallelism` is kept beside the fingerprint and can never change.
 *
 * Version 1 is still read: of each state it has the name of one serde; its kind is `value`.
 */
export function fingerprint(graph: JobGraph): string {
  const identity: Identity = { version: VERSION, sources: [], sinks: [], operators: byName() };
  for (const node of graph.nodes) {
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
  return JSON.stringify({ ...identity, operators: sortedRecord(Object.entries(identity.operators)) });
}

/** `same`: though one may be of an earlier version. `changed` and `incompatible` name every difference, for the log or the error. */
export type Compatibility =
  | { readonly outcome: 'same' }
  | { readonly outcome: 'changed'; readonly differences: readonly string[] }
  | { readonly outcome: 'incompatible'; readonly differences: readonly string[] };

/**
 * May a job with fingerprint `next` go on from what a job with fingerprint `previous` left? New sources, sinks,
 * operators and states may come (they start empty; a new source starts at its starting offsets). What holds offsets,
 * state or transactions may not go, nor change its serde or its kind: nothing is ever dropped in silence.
 */
export function checkCompatible(previous: string, next: string): Compatibility {
  if (previous === next) return { outcome: 'same' };
  const before = parseFingerprint(previous);
  const after = parseFingerprint(next);
  const broken: string[] = [];
  const added: string[] = [];
  compareNames('source', before.sources, after.sources, broken, added);
  compareNames('sink', before.sinks, after.sinks, broken, added);
  compareNames('keyed operator', Object.keys(before.operators), Object.keys(after.operators), broken, added);
  for (const [uid, was] of Object.entries(before.operators)) {
    const is = ofName(after.operators, uid);
    if (is === undefined) continue;
    if (is.key !== was.key) broken.push(`key serde of ${uid} was ${was.key} and is now ${is.key}`);
    compareNames(`state of ${uid}:`, Object.keys(was.states), Object.keys(is.states), broken, added);
    for (const [state, stored] of Object.entries(was.states)) {
      const now = ofName(is.states, state);
      if (now !== undefined) compareState(`state of ${uid}: ${state}`, stored, now, broken);
    }
  }
  if (broken.length > 0) return { outcome: 'incompatible', differences: broken };
  return added.length > 0 ? { outcome: 'changed', differences: added } : { outcome: 'same' };
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
  operators: Record<string, { key: string; states: Record<string, StateIdentity> }>;
}

interface StateIdentity {
  readonly kind: string;
  /** Names, in the order that the kind says. */
  readonly serdes: readonly string[];
}

/** As builds wrote it that knew value states alone. */
interface FirstIdentity extends Pick<Identity, 'sources' | 'sinks'> {
  version: 1;
  operators: Record<string, { key: string; states: Record<string, string> }>;
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

function compareState(what: string, was: StateIdentity, is: StateIdentity, broken: string[]): void {
  if (was.kind !== is.kind) {
    broken.push(
      `${what} was a ${was.kind} state and is now a ${is.kind} state: keep it as it was, and give the ${is.kind} state another name`,
    );
    return;
  }
  const before = was.serdes.join(', ');
  const after = is.serdes.join(', ');
  if (before !== after) broken.push(`${what} had serde ${before} and has now ${after}`);
}

function compareNames(what: string, before: readonly string[], after: readonly string[], broken: string[], added: string[]): void {
  for (const name of before) if (!after.includes(name)) broken.push(`${what} ${name} is gone`);
  for (const name of after) if (!before.includes(name)) added.push(`${what} ${name} is new`);
}

function identitiesOf(states: readonly StoredState[]): Record<string, StateIdentity> {
  return sortedRecord(states.map(({ name, kind, serdes }): [string, StateIdentity] => [name, { kind, serdes }]));
}

function sortedRecord<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return byName([...entries].sort(([left], [right]) => (left < right ? -1 : 1)));
}
