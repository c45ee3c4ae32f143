import type { Serde } from '../../../lib/format/serde.ts';
import type { JobDefinition, ProcessNode } from '../../../lib/graph/job.ts';
import { isKeyed, shapeOf } from '../sim-job.ts';
import type { Kept } from './blobs.ts';
import type { Contents } from './contents.ts';
import { own } from './contents.ts';
import type { Decided } from './decisions.ts';
import { livingIn } from './interpreter/ages.ts';
import type { InputRecord, Told, Written } from './interpreter/epoch.ts';
import type { Row } from './interpreter/rows.ts';
import { timersIn } from './interpreter/timers.ts';
import { rowsIn } from './interpreter/waiting.ts';
import { keyGroupOf } from './key-groups.ts';
import { type Life, type Step, sinkOf } from './life.ts';
import { checkPlaces, isIn } from './places.ts';
import type { Scene } from './scene.ts';
import { differenceOf, multiset, shown } from './texts.ts';

/** What an epoch stages (I2), and the state after it (I3), are what the job makes of its input: no more and no less. */
export function checkOutcome(scene: Scene, contents: Contents, decided: Decided, input: ReadonlyMap<string, readonly InputRecord[]>): void {
  const { life, epoch } = decided;
  const { manifest } = epoch;
  try {
    const times = life.times.take(scene, manifest, input);
    const told: Told = {
      input,
      subtaskOf: (uid, key) => subtaskOf(scene, decided, uid, key),
      keyGroupOf: (key) => keyGroupOf(key, scene.maxParallelism),
      keySerdeOf: (uid) => keySerdeOf(scene, uid),
      timeOf: (uid) => times.get(uid),
    };
    const { written, aside } = life.interpreter.runEpoch(told);
    epoch.written = written;
    if (life.plain !== undefined) checkPlain(scene, manifest.epoch, written, life.plain.run(told));
    checkLate(scene, decided, aside);
    remember(life, input, aside, shapeOf(scene.job).definition);
    life.steps.push({ epoch: manifest.epoch, told, times: life.times.copy() });
  } catch (error) {
    return scene.fail(
      'I3',
      `the job cannot make anything of what epoch ${manifest.epoch} has read: ${error instanceof Error ? error.stack : error}`,
    );
  }
  checkStaged(scene, decided);
  checkStagedElsewhere(scene, decided);
  checkPooled(scene, decided);
  for (const node of shapeOf(scene.job).definition.nodes) {
    if (!isKeyed(node)) continue;
    checkOwners(scene, decided, node.uid);
    const found = contents.stateOf(manifest, node.uid, node.states);
    const windows = life.interpreter.windows.get(node.uid);
    if (windows !== undefined) {
      checkWindowKeys(scene, manifest.epoch, node.uid, { open: windows.openKeys, found });
      checkDue(scene, decided, node.uid, found);
      continue;
    }
    const expected = life.interpreter.states.get(node.uid)?.keys ?? new Map();
    const living = livingIn(found, node.states, manifest.time?.processingMs ?? 0);
    const difference = differenceOf(shownState(expected), shownState(living));
    if (difference !== undefined)
      scene.fail(isRescaled(decided, node.uid) ? 'I13' : 'I3', `state of ${node.uid} after epoch ${manifest.epoch}: ${difference}`);
    checkDue(scene, decided, node.uid, expected);
    if (node.kind !== 'process') continue;
    checkBases(scene, contents, decided, node);
    checkBroadcast(scene, contents, decided, node);
  }
}

/** Makes of a new life what another was after an epoch, from the input of all epochs until then. */
export function goThrough(scene: Scene, life: Life, steps: readonly Step[]): void {
  for (const step of steps) {
    const { aside } = life.interpreter.runEpoch(step.told);
    life.plain?.run(step.told);
    remember(life, step.told.input, aside, shapeOf(scene.job).definition);
    life.steps.push(step);
  }
}

/** Has the operator another number of subtasks than in the epoch before? */
function isRescaled({ epoch: { manifest }, parent }: Decided, uid: string): boolean {
  return (own(manifest.state, uid)?.length ?? 0) !== (own(parent?.state, uid)?.length ?? 0);
}

/**
 * However many subtasks there are, each key group is with one of them (I13). The manifest says how many: a stage is named after the first of
 * its operators, and all of them have as many.
 */
function checkOwners(scene: Scene, { epoch: { manifest } }: Decided, uid: string): void {
  const ranges = (own(manifest.state, uid) ?? []).map(({ keyGroups }) => keyGroups);
  if (ranges.length === 0) return;
  const said = own(manifest.parallelism, uid) ?? ranges.length;
  const ends = [-1, ...ranges.map(({ last }) => last)];
  const areWhole =
    ranges.every(({ first, last }, at) => first === (ends[at] ?? -1) + 1 && last >= first) && ends.at(-1) === scene.maxParallelism - 1;
  if (!areWhole || said !== ranges.length) {
    const shownRanges = ranges.map(({ first, last }) => `${first} to ${last}`).join(', ');
    scene.fail('I13', `epoch ${manifest.epoch}: ${uid} is to have ${said} subtasks, and has snapshots of the key groups ${shownRanges}`);
  }
}

/** Of a sink that prepares there are no more subtasks than somebody would look at who settles what is open (I6). */
function checkPooled(scene: Scene, { epoch: { manifest } }: Decided): void {
  const pool = scene.table.row(manifest.job)?.pool.kafka ?? {};
  for (const { sink, connector } of manifest.committables) {
    const [has, may] = [own(manifest.parallelism, sink) ?? 1, own(pool, sink)?.subtasks ?? 0];
    if (connector === 'kafka' && has > may)
      scene.fail(
        'I6',
        `epoch ${manifest.epoch}: ${sink} has ${has} subtasks, and ${may} are in the pool: nobody would end what they left open`,
      );
  }
}

/** What the engine's own operators make is what plain functions do (I2). */
function checkPlain(scene: Scene, epoch: number, written: ReadonlyMap<string, readonly Written[]>, plain: typeof written): void {
  const textsOf = (of: typeof written, uid: string) => multiset((of.get(uid) ?? []).map(({ text }) => text));
  for (const uid of plain.keys()) {
    const difference = differenceOf(textsOf(plain, uid), textsOf(written, uid));
    if (difference !== undefined) scene.fail('I2', `what ${uid} is given in epoch ${epoch}, and plain functions make: ${difference}`);
  }
}

/** One snapshot for all subtasks, of what was broadcast (I3). */
function checkBroadcast(scene: Scene, contents: Contents, { life, epoch: { manifest } }: Decided, { uid, broadcast }: ProcessNode): void {
  // The first epoch, before any, has no state.
  if (broadcast === undefined || manifest.epoch === 0) return;
  const name = `${uid}.broadcast`;
  const ranges = (own(manifest.state, name) ?? []).map(({ keyGroups: { first, last } }) => `${first} to ${last}`);
  if (ranges.join() !== `0 to ${scene.maxParallelism - 1}`)
    scene.fail('I3', `epoch ${manifest.epoch}: ${name} has snapshots of the key groups ${ranges.join(', ') || 'none'}`);
  const expected = life.interpreter.broadcastStates.get(uid)?.keys ?? new Map();
  const difference = differenceOf(shownState(expected), shownState(contents.stateOf(manifest, name, broadcast.states)));
  if (difference !== undefined) scene.fail('I3', `${name} after epoch ${manifest.epoch}: ${difference}`);
}

/** A base that is new holds nothing that has expired (I3). */
function checkBases(scene: Scene, contents: Contents, { epoch: { manifest }, parent }: Decided, { uid, states }: ProcessNode): void {
  if (states.every(({ ttl }) => ttl === undefined)) return;
  const before = new Set((own(parent?.state, uid) ?? []).map(({ id }) => id));
  const bases = (own(manifest.state, uid) ?? []).filter(({ id, deltas }) => deltas.length === 0 && !before.has(id));
  const stored = contents.stateOf({ ...manifest, state: { [uid]: bases } }, uid, states);
  const difference = differenceOf(shownState(livingIn(stored, states, manifest.time?.processingMs ?? 0)), shownState(stored));
  if (difference !== undefined) scene.fail('I3', `a base of ${uid} in epoch ${manifest.epoch} holds what has expired: ${difference}`);
}

/** How a window operator keeps its windows is its own affair: but it keeps some of each key that has any, and of no other (I9). */
function checkWindowKeys(
  scene: Scene,
  epoch: number,
  uid: string,
  { open, found }: { readonly open: ReadonlySet<string>; readonly found: ReadonlyMap<string, ReadonlyMap<string, Kept>> },
): void {
  const lost = [...open].find((key) => !found.has(key));
  // What is left of one that had windows may be a time for early results.
  const left = [...found].find(([key, states]) => !open.has(key) && [...states.keys()].some((name) => name !== '@timers'));
  if (lost !== undefined) scene.fail('I9', `epoch ${epoch}: ${uid} has lost the windows of the key ${shown(Buffer.from(lost, 'latin1'))}`);
  if (left !== undefined)
    scene.fail('I9', `epoch ${epoch}: ${uid} keeps the key ${shown(Buffer.from(left[0], 'latin1'))}, which has no windows`);
}

/** Nothing is left out in silence: the manifest counts what came late for each operator, and whether anybody reads it (I9). */
function checkLate(scene: Scene, { epoch: { manifest }, parent }: Decided, aside: ReadonlyMap<string, readonly Row[]>): void {
  const { nodes } = shapeOf(scene.job).definition;
  for (const { id, uid } of nodes.filter(isKeyed)) {
    const came = aside.get(`${id} late`)?.length ?? 0;
    const isRead = nodes.some((node) => node.kind === 'sideOutput' && node.tag === 'late' && node.inputs.includes(id));
    const [before, after] = [parent, manifest].map((of) => own(of?.time?.late, uid));
    const counted = (of: 'dropped' | 'passedOn') => (after?.[of] ?? 0) - (before?.[of] ?? 0);
    const [is, should] = [
      `${counted('dropped')} dropped, ${counted('passedOn')} read`,
      isRead ? `0 dropped, ${came} read` : `${came} dropped, 0 read`,
    ];
    if (is !== should) scene.fail('I9', `epoch ${manifest.epoch}: of what came late for ${uid} the manifest counts ${is}: it is ${should}`);
  }
}

function remember(
  { input: all, late }: Life,
  input: ReadonlyMap<string, readonly InputRecord[]>,
  aside: ReadonlyMap<string, readonly Row[]>,
  { nodes }: JobDefinition,
): void {
  for (const [uid, records] of input) all.set(uid, [...(all.get(uid) ?? []), ...records]);
  for (const node of nodes)
    if (node.kind === 'process') for (const { origin } of aside.get(`${node.id} late`) ?? []) late.add(`${node.uid} ${origin}`);
}

/** Whoever plans knows what is due from the snapshots' references alone (I8). */
function checkDue(scene: Scene, { epoch: { manifest } }: Decided, uid: string, keys: ReadonlyMap<string, ReadonlyMap<string, Kept>>): void {
  for (const { keyGroups, due } of own(manifest.state, uid) ?? []) {
    const isOwn = (key: Buffer) => {
      const keyGroup = keyGroupOf(key, scene.maxParallelism);
      return keyGroup >= keyGroups.first && keyGroup <= keyGroups.last;
    };
    const timers = timersIn(keys, isOwn);
    const rows = rowsIn(keys, isOwn);
    const least = (domain: string) => Math.min(...timers.filter((timer) => timer.domain === domain).map(({ timeMs }) => timeMs));
    const [should, is] = [
      `${Math.min(least('event'), ...rows.map(({ timeMs }) => timeMs))}, ${least('processing')}`,
      `${due?.eventMs ?? Number.POSITIVE_INFINITY}, ${due?.processingMs ?? Number.POSITIVE_INFINITY}`,
    ];
    if (should !== is) scene.fail('I8', `epoch ${manifest.epoch}: of ${uid} is due ${should}, and its snapshot says ${is}`);
  }
}

export function keySerdeOf({ job }: Scene, uid: string): Serde<unknown> {
  const { nodes } = shapeOf(job).definition;
  const node = nodes.find((each) => isKeyed(each) && each.uid === uid);
  const keyBy = node !== undefined && isKeyed(node) ? nodes[node.inputs[0] ?? -1] : undefined;
  if (keyBy?.kind !== 'keyBy') throw new Error(`${uid} has no key`);
  return keyBy.key;
}

function checkStaged(scene: Scene, { epoch: { manifest, staged, written } }: Decided): void {
  for (const [uid, topics] of shapeOf(scene.job).sinks) {
    const all = written.get(uid) ?? [];
    const places = [...staged].flatMap(([where, byPlace]) => (sinkOf(where) === uid ? [...byPlace] : []));
    const what = `staged output of ${uid} in epoch ${manifest.epoch}`;
    const foreign = places.find(([place]) => !topics.some((topic) => isIn(place, topic)));
    if (foreign !== undefined) scene.fail('I2', `${what} goes to ${foreign[0]}, and not to ${topics.join(', ')}`);
    for (const topic of topics) {
      const expected = all.filter((one) => one.topic === topic);
      const there = places.filter(([place]) => isIn(place, topic));
      const difference = differenceOf(multiset(expected.map(({ text }) => text)), multiset(there.flatMap(([, texts]) => texts)));
      if (difference !== undefined) scene.fail('I2', `${what} for ${topic}: ${difference}`);
      else checkPlaces(scene, what, topic, expected, there);
    }
  }
}

/** The same of what is staged for other places. */
function checkStagedElsewhere(scene: Scene, { epoch: { manifest, elsewhere, written } }: Decided): void {
  for (const uid of shapeOf(scene.job).others.keys()) {
    const staged = [...elsewhere].flatMap(([where, { batches, rows }]) => (sinkOf(where) === uid ? (rows ?? batches?.flat() ?? []) : []));
    const difference = differenceOf(multiset((written.get(uid) ?? []).map(({ text }) => text)), multiset(staged));
    if (difference !== undefined) scene.fail('I2', `staged output of ${uid} in epoch ${manifest.epoch}: ${difference}`);
  }
}

function subtaskOf({ job, maxParallelism, fail }: Scene, { epoch: { manifest } }: Decided, uid: string, key: Buffer): number {
  // It keeps nothing, and which of its subtasks has the key says nothing.
  if (shapeOf(job).definition.nodes.some((node) => node.kind === 'process' && node.uid === uid && node.states.length === 0)) return 0;
  const keyGroup = keyGroupOf(key, maxParallelism);
  const subtask = (own(manifest.state, uid) ?? []).findIndex(({ keyGroups: { first, last } }) => first <= keyGroup && keyGroup <= last);
  if (subtask < 0) fail('I3', `epoch ${manifest.epoch}: no subtask of ${uid} has the key ${shown(key)}`);
  return subtask;
}

/** By key: what each of its states holds. */
function shownState(keys: ReadonlyMap<string, ReadonlyMap<string, Kept>>): Map<string, string> {
  return new Map([...keys].map(([key, states]) => [shown(Buffer.from(key, 'latin1')), shownStates(states)]));
}

function shownStates(states: ReadonlyMap<string, Kept>): string {
  const each = [...states].map(([name, kept]) => `${name} ${shownKept(kept)}`);
  return each.sort().join(', ');
}

/** A map's entries in any order: they have one of their own. */
function shownKept(kept: Kept): string {
  if (Buffer.isBuffer(kept)) return shown(kept);
  if (!(kept instanceof Map)) return `[${[...kept].map((item) => shown(item as Buffer)).join('; ')}]`;
  const entries = [...kept].map(([key, value]) => `${shown(Buffer.from(key, 'latin1'))} => ${shown(value)}`);
  return `{${entries.sort().join('; ')}}`;
}
