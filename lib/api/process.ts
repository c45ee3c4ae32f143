import type { Serde } from '../format/serde.ts';
import { JobDefinitionError, type OnBroadcast, type OnRecord, type ProcessNode } from '../graph/job.ts';
import { inputsSerde } from '../operators/of-input.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';
import type { TimeDomain } from '../state/columns/timers.ts';
import type { JobDraft } from './job-draft.ts';
import { type SideOutputSpecs, sideOutputNames } from './side-outputs.ts';
import { declareState, type StateSpecs } from './state.ts';
import { refuseAsync } from './user-function.ts';

/** A keyed operator as it is added to a job: what authors write, in one form. */
export interface DraftedProcess {
  readonly state: StateSpecs;
  /** Keyed streams, by their keyBy. */
  readonly inputs: readonly DraftedInput[];
  readonly broadcast?: DraftedBroadcast | undefined;
  readonly onTimer?: unknown;
  readonly timers?: unknown;
  readonly usesTime?: boolean | undefined;
  readonly inTimeOrder: boolean;
  readonly sideOutputs?: SideOutputSpecs | undefined;
}

interface DraftedInput {
  readonly node: number;
  /** Of several in order of time: rows that wait are kept as of the input of that name. */
  readonly name: string;
  readonly onRecord: unknown;
}

export interface DraftedBroadcast {
  readonly state: StateSpecs;
  readonly inputs: readonly { readonly node: number; readonly value: Serde<unknown>; readonly onRecord: unknown }[];
}

/** No state of an author's can have this name. */
const TIMERS: StateDeclaration = { kind: 'timers', name: '@timers', serdes: [] };

/** Adds a keyed operator, and answers its id. Throws `JobDefinitionError`. */
export function addProcess(draft: JobDraft, uid: string, drafted: DraftedProcess): number {
  const { inputs, broadcast, inTimeOrder, onTimer } = drafted;
  const declared = declaredStates(draft, uid, drafted.state);
  const expires = declared.some(({ ttl }) => ttl !== undefined);
  const ofBroadcast = broadcast === undefined ? undefined : broadcastStates(draft, uid, broadcast.state, declared);
  const states = [...declared, ...(inTimeOrder ? [waitingOf(draft, inputs)] : []), ...(onTimer === undefined ? [] : [TIMERS])];
  const sideOutputs = sideOutputNames(draft, uid, drafted.sideOutputs);
  const claimed = draft.claim(uid);
  const broadcasts = broadcast?.inputs.map(({ node, value }) => draft.add({ kind: 'broadcast', inputs: [node], value })) ?? [];
  return draft.add({
    kind: 'process',
    inputs: [...inputs.map(({ node }) => node), ...broadcasts],
    uid: claimed,
    states,
    onRecord: inputs.map(({ onRecord }) => onRecord as OnRecord),
    broadcast: ofBroadcast && { states: ofBroadcast, onRecord: broadcast?.inputs.map(({ onRecord }) => onRecord as OnBroadcast) ?? [] },
    onTimer: onTimer as ProcessNode['onTimer'],
    inTimeOrder,
    sideOutputs,
    time: timeOf(draft, uid, drafted) ?? (expires ? 'processing' : undefined),
  });
}

/** A function of the author's, with its object as `this`. Throws `JobDefinitionError` when it is none, or async. */
export function boundTo(self: unknown, fn: unknown, where: string): unknown {
  refuseAsync(fn, where);
  return (fn as (...args: readonly unknown[]) => unknown).bind(self);
}

function declaredStates(draft: JobDraft, uid: string, specs: StateSpecs): StateDeclaration[] {
  const states = Object.entries(specs).map(([name, spec]) => {
    draft.checkName(name.toLowerCase(), `state name of ${uid}`);
    return declareState(spec, name, `job ${draft.name}: state ${name} of ${uid}`);
  });
  checkFormerNames(draft, uid, states);
  return states;
}

/** What is kept under a name is that of one state. */
function checkFormerNames(draft: JobDraft, uid: string, states: readonly StateDeclaration[]): void {
  const claims = states.flatMap(({ name, formerly = [] }) => formerly.map((former) => ({ name, former })));
  claims.forEach(({ name, former }, index) => {
    const where = `job ${draft.name}: state ${name} of ${uid}`;
    draft.checkName(former.toLowerCase(), `a former name of state ${name} of ${uid}`);
    if (states.some((state) => state.name === former))
      throw new JobDefinitionError(
        `${where} says that it was ${former} formerly, and ${uid} has a state ${former}: what is kept under that name would be of both; take it out of \`formerly\`, or give ${former} another name`,
      );
    const other = claims.find((claim, at) => at < index && claim.former === former);
    if (other !== undefined)
      throw new JobDefinitionError(
        `${where} and state ${other.name} both say that they were ${former} formerly: what is kept under that name is of one of them`,
      );
  });
}

/** All subtasks hold it alike: so nothing of it may hang on what one of them reads, and functions find both kinds of state by name. */
function broadcastStates(draft: JobDraft, uid: string, specs: StateSpecs, own: readonly StateDeclaration[]): StateDeclaration[] {
  const states = declaredStates(draft, uid, specs);
  for (const { name, ttl } of states) {
    const where = `job ${draft.name}: broadcast state ${name} of ${uid}`;
    if (ttl !== undefined) throw new JobDefinitionError(`${where} has a time to live, and broadcast state has none: take withTtl out`);
    if (own.some((state) => state.name === name))
      throw new JobDefinitionError(`${where}: ${uid} has a state of that name by key; give one of them another`);
  }
  return states;
}

/** Rows wait as they cross the exchange. */
function waitingOf({ nodes }: JobDraft, inputs: DraftedProcess['inputs']): StateDeclaration {
  const waiting = inputs.map(({ node, name }) => {
    const keyBy = nodes[node];
    if (keyBy?.kind !== 'keyBy') throw new Error(`node ${node} is no keyBy`);
    return { name, value: keyBy.value };
  });
  return { kind: 'waiting', name: '@waiting', serdes: [inputsSerde(waiting)] };
}

function timeOf(draft: JobDraft, uid: string, { onTimer, timers, usesTime, inTimeOrder }: DraftedProcess): TimeDomain | undefined {
  if (timers !== undefined && timers !== 'processing-time')
    throw new JobDefinitionError(`job ${draft.name}: timers of ${uid} is ${JSON.stringify(timers)}, and may only be 'processing-time'`);
  if (inTimeOrder) return 'event';
  if (onTimer === undefined) return usesTime === true || timers !== undefined ? 'processing' : undefined;
  return timers === undefined ? 'event' : 'processing';
}
