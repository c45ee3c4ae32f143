import { ExchangeReader } from '../format/exchange-reader.ts';
import type { Serde } from '../format/serde.ts';
import { type BroadcastNode, broadcastStateName, JobDefinitionError, type KeyByNode } from '../graph/job.ts';
import { isAt, type NodeAt } from '../graph/kinds.ts';
import { edgesTo } from '../plan/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { StageTime } from '../protocol/event-time.ts';
import { keyGroupRange } from '../protocol/key-groups.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import { shortened, TimerError, textOf, UserCodeError } from '../records/errors.ts';
import type { Push } from '../records/push.ts';
import type { BroadcastState } from '../state/broadcast-state.ts';
import { RecordScope } from '../state/record-scope.ts';
import type { StateSet } from '../state/state-set.ts';
import { AsyncCalls, type Blame } from './async-calls.ts';
import { compileChain, compileSide, isSideRead } from './chain.ts';
import type { CompiledJob } from './compiled-job.ts';
import { EdgeWriters } from './edge-writers.ts';
import { EpochClock } from './epoch-clock.ts';
import type { OperatorOutput, StageContext } from './epoch-output.ts';
import type { OpenKeyed, TakeRow } from './kind.ts';
import { LATE } from './kinds/time-order.ts';
import { keyedKind } from './kinds.ts';
import { LateValues } from './late-values.ts';
import { withOrigins } from './origins.ts';

/** Runs an operator stage's subtask over its segments. One epoch: `begin`, `consume` for each segment, `finish`, then the snapshots are taken. */
export interface OperatorRuntime {
  /** By operator uid. */
  readonly states: ReadonlyMap<string, StateSet>;
  /** What operators keep of what is broadcast to them, by its name (`broadcastStateName`). */
  readonly broadcastStates: ReadonlyMap<string, BroadcastState>;
  /** Have timers fired in this epoch? */
  readonly hasFired: boolean;
  /**
   * Starts an epoch. Whatever output an epoch that was not finished has left is gone; what it did to the state is not:
   * throws unless the state was dropped (and loaded again) or its snapshots were taken. @param time undefined: the job does not use it
   */
  begin(time?: StageTime): void;
  /**
   * Runs the rows of a segment of the input, in order. Segments of what is broadcast come before all others: their rows are run when all
   * of them are there, in order of their origins. Throws `UserCodeError`, also when a serde does not read what it wrote, or
   * `MalformedError` when the segment is damaged. `name` says in errors what it is. @param input @default 0, the first
   */
  consume(segment: Buffer, name?: string, input?: number): void;
  /** Do values wait for functions that do not answer at once? They are to be settled before `finish`. */
  readonly isWaiting: boolean;
  /** Passes on what waits. Throws as `consume` and `endTime` do. @param deadlineMs of the epoch, by `elapsedMs` of the clock */
  settle(clock: Clock, deadlineMs: number): Promise<void>;
  /** Does what the end of the epoch's time brings, timers above all. Throws `TimerError` when that fails. */
  endTime(): void;
  /** Does `endTime`, unless that is done. */
  finish(): OperatorOutput;
  /** Throws `UserCodeError` when user code has used a state or an output outside of its record since that was last asked. `begin` and `finish` ask too. */
  checkStray(): void;
  /** Forgets all state. */
  dropState(): void;
}

/** An input of the stage by key, and which operators read it. */
interface KeyedInput {
  readonly keyBy: KeyByNode;
  /** How its values are read. */
  readonly value: Serde<unknown>;
  readonly heads: readonly Head[];
}

/** One that is broadcast. */
interface BroadcastInput {
  readonly keyBy?: undefined;
  readonly value: Serde<unknown>;
  readonly take: Push;
}

/** A row that was broadcast. */
interface Told {
  readonly origin: string;
  readonly timestamp: number;
  readonly value: unknown;
  readonly take: Push;
}

interface Head {
  readonly operator: OpenKeyed;
  readonly takeRow: TakeRow;
}

export function createOperatorRuntime(compiled: CompiledJob, stageId: string, context: StageContext, subtask: number): OperatorRuntime {
  const { job, plan } = compiled;
  const { maxParallelism } = context;
  const keyGroups = keyGroupRange(subtask, context.parallelism(stageId), maxParallelism);
  const inputNodes = inputsOf(compiled, stageId);
  const keyBys = inputNodes.filter((node) => node.kind === 'keyBy');
  const current: CurrentRecord = { timestamp: 0, key: undefined, keyHash: 0, keySerde: keyBys[0]?.key, origin: '', turn: 0 };
  const edges = new EdgeWriters(plan, stageId, context);
  const calls = new AsyncCalls(current, () => (isEnded ? blameOnTimers(stageId, current) : blameOnNone));
  const scope = new RecordScope();
  const clock = new EpochClock();
  const late = new LateValues();
  const nodes = job.nodes.filter((node) => isAt(node, 'keyed')).filter(({ inputs }) => keyBys.some(({ id }) => inputs.includes(id)));
  const opened = nodes.map((node) => {
    const next = () => compileChain({ job, edges, current, calls }, node.id, 'kept');
    const side = (tag: string) => {
      const parts = { job, edges, current, calls };
      if (tag !== LATE) return compileSide(parts, node.id, tag, 'kept');
      return late.counted(node.uid, isSideRead(job, node.id, tag), compileSide(parts, node.id, tag, 'passed'));
    };
    return { node, operator: keyedKind(node).open(node, { current, scope, clock, maxParallelism, keyGroups, next, side }) };
  });
  const operators = opened.map(({ operator }) => operator);
  const states = new Map(operators.map(({ uid, state }) => [uid, state]));
  const broadcasts = operators.flatMap(({ broadcast }) => broadcast ?? []);
  const broadcastStates = new Map(
    operators.flatMap(({ uid, broadcast }) => (broadcast === undefined ? [] : [[broadcastStateName(uid), broadcast.state] as const])),
  );
  const inputs = inputNodes.map((node, input): KeyedInput | BroadcastInput => {
    const carriesOrigins = edgesTo(plan, stageId).some((edge) => edge.input === input && edge.withOrigins === true);
    const value = carriesOrigins ? withOrigins(node.value, current) : node.value;
    if (node.kind === 'keyBy') return { keyBy: node, value, heads: headsOf(node, opened) };
    return { value, take: takerOf(node, opened) };
  });
  let told: Told[] = [];
  /** Has all that was broadcast in the epoch been taken? */
  let isTold = false;
  const reader = new ExchangeReader();
  let recordsIn = 0;
  let hasFired = false;
  let open = false;
  /** Is the end of the epoch's time under way, or done? */
  let isEnded = false;

  function checkStray(): void {
    const stray = scope.takeStray();
    if (stray === undefined) return;
    if (hasFired && recordsIn === 0) throw new TimerError(stray.operator, 'behind its timers', stray);
    throw new UserCodeError(stray.operator, stray);
  }

  function endTime(): void {
    if (!open || isEnded) throw new Error(`${stageId}: an end without begin, or after a failure`);
    open = false;
    tell();
    isEnded = true;
    clock.advance();
    working(() => {
      for (const { endEpoch } of operators) if (endEpoch?.() === true) hasFired = true;
    });
    checkStray();
    open = true;
  }

  /** Has user code work: outside of that its handles are of no use. */
  function working(work: () => void): void {
    scope.isOpen = true;
    try {
      work();
    } finally {
      scope.isOpen = false;
      for (const operator of operators) operator.leave();
    }
  }

  /** Takes in what was broadcast in this epoch. */
  function tell(): void {
    if (isTold) return;
    isTold = true;
    if (broadcasts.length === 0) return;
    // As many as have one origin stay as they came: in order of the inputs, and as they were made.
    told.sort((one, other) => (one.origin < other.origin ? -1 : one.origin > other.origin ? 1 : 0));
    working(() => {
      for (const { state } of broadcasts) state.turnOn();
      for (const { timestamp, value, take } of told) {
        current.timestamp = timestamp;
        take(value);
      }
      for (const { seal } of broadcasts) seal();
    });
    told = [];
  }

  function hear({ value: serde, take }: BroadcastInput, segment: string): void {
    while (reader.next()) {
      const value = readValue(serde, segment);
      told.push({ origin: current.origin, timestamp: reader.timestamp, value, take });
    }
  }

  /** The keys of the segment's dictionary, by index. */
  function readKeys({ key }: KeyByNode, segment: string): unknown[] {
    const keys: unknown[] = [];
    try {
      for (let index = 0; index < reader.keys; index++)
        keys.push(key.read(reader.bytes, reader.keyStarts[index] as number, reader.keyEnds[index] as number));
    } catch (cause) {
      throw unreadable(`key ${keys.length} of the segment`, segment, key, cause);
    }
    return keys;
  }

  /** The current row's value. Decoded for each operator anew if it is an object, which one may change in place. */
  function readValue(value: Serde<unknown>, segment: string): unknown {
    try {
      return value.read(reader.bytes, reader.valueStart, reader.valueEnd);
    } catch (cause) {
      throw unreadable('a value of the segment', segment, value, cause);
    }
  }

  /** The current row's key anew, for the same reason. */
  function readKey({ key }: KeyByNode): unknown {
    return key.read(reader.bytes, reader.keyStarts[reader.keyIndex] as number, reader.keyEnds[reader.keyIndex] as number);
  }

  /** The segment is whole, its checksum says so: some record has what its serde writes and does not read. */
  function unreadable(what: string, segment: string, serde: Serde<unknown>, cause: unknown): UserCodeError {
    const reason = cause instanceof Error ? cause.message : textOf(cause);
    return new UserCodeError(stageId, new TypeError(`${segment}: serde ${serde.name} cannot read ${what}: ${reason}`, { cause }));
  }

  return {
    states,
    broadcastStates,

    get hasFired() {
      return hasFired;
    },

    begin(time) {
      checkStray();
      for (const [uid, state] of [...states, ...broadcastStates]) {
        if (state.changed())
          throw new Error(`${uid}: the state holds changes of an epoch without a snapshot; drop it and load the snapshot to start from`);
      }
      edges.begin();
      clock.begin(time);
      late.begin();
      for (const { state } of broadcasts) state.begin();
      told = [];
      isTold = false;
      recordsIn = 0;
      hasFired = false;
      isEnded = false;
      calls.begin();
      open = true;
    },

    consume(segment, name = `segment for ${stageId}`, input = 0) {
      if (!open || isEnded) throw new Error(`${stageId}: consume without begin, or after a failure`);
      open = false;
      const from = inputs[input];
      if (from === undefined) throw new Error(`${stageId} has no input ${input}: coordinator and operator function run different jobs`);
      reader.open(segment, name);
      if (from.keyBy === undefined) {
        if (isTold) throw new Error(`${stageId}: ${name} was broadcast, and comes behind rows that were not`);
        hear(from, name);
        recordsIn += reader.rows;
        open = true;
        return;
      }
      tell();
      const { keyBy, heads } = from;
      const first = heads[0] as Head;
      const keys = readKeys(keyBy, name);
      for (const { operator } of heads) operator.meet(reader);
      current.keySerde = keyBy.key;
      scope.isOpen = true;
      try {
        while (reader.next()) {
          const index = reader.keyIndex;
          const key = keys[index];
          current.key = typeof key === 'object' ? readKey(keyBy) : key;
          current.keyHash = reader.hashes[index] as number;
          current.timestamp = reader.timestamp;
          const value = reader.valueIsKey ? key : readValue(from.value, name);
          first.takeRow(index, value);
          for (let at = 1; at < heads.length; at++) {
            if (typeof key === 'object') current.key = readKey(keyBy);
            (heads[at] as Head).takeRow(index, typeof value === 'object' ? readValue(from.value, name) : value);
          }
        }
      } finally {
        scope.isOpen = false;
        for (const operator of operators) operator.leave();
      }
      for (const { operator } of heads) operator.takeBack();
      recordsIn += reader.rows;
      open = true;
    },

    get isWaiting() {
      return calls.isWaiting;
    },

    settle: (clock, deadlineMs) => calls.settle(clock, deadlineMs),

    endTime,

    finish() {
      if (!isEnded) endTime();
      if (!open) throw new Error(`${stageId}: finish without begin, or after a failure`);
      open = false;
      return { edges: edges.finish(), recordsIn, late: late.counts() };
    },

    checkStray,

    dropState() {
      for (const state of [...states.values(), ...broadcastStates.values()]) state.drop();
    },
  };
}

const blameOnNone: Blame = (error) => error;
const SHOWN_CHARS = 100;

/** What timers have begun is of no record. */
function blameOnTimers(stage: string, { key }: CurrentRecord): Blame {
  const text = shortened(textOf(key), SHOWN_CHARS);
  return (error) => {
    if (!(error instanceof UserCodeError)) return new TimerError(stage, `behind timers of key ${text}`, error);
    return new TimerError(error.operator, `behind timers of key ${text}`, error.cause);
  };
}

interface Opened {
  readonly node: NodeAt<'keyed'>;
  readonly operator: OpenKeyed;
}

/** What takes the rows of a keyBy. */
function headsOf({ id }: KeyByNode, opened: readonly Opened[]): readonly Head[] {
  return opened.flatMap(({ node, operator }) =>
    operator.inputs.flatMap((takeRow, at): Head[] => (node.inputs[at] === id ? [{ operator, takeRow }] : [])),
  );
}

/** What takes the rows of a broadcast: of the one operator that reads it. */
function takerOf({ id }: BroadcastNode, opened: readonly Opened[]): Push {
  for (const { node, operator } of opened) {
    const take = operator.broadcast?.inputs[node.inputs.indexOf(id) - operator.inputs.length];
    if (take !== undefined) return take;
  }
  throw new Error(`nothing takes what node ${id} broadcasts`);
}

/** The nodes that lead to the stage, by its inputs. */
function inputsOf({ job, plan }: CompiledJob, stageId: string): readonly (KeyByNode | BroadcastNode)[] {
  const inputs: (KeyByNode | BroadcastNode)[] = [];
  for (const { node, input } of edgesTo(plan, stageId)) {
    const before = node === undefined ? undefined : job.nodes[node];
    if (before?.kind === 'keyBy' || before?.kind === 'broadcast') inputs[input] = before;
  }
  if (inputs.length === 0) throw new JobDefinitionError(`job ${job.name} has no operator stage ${stageId}`);
  return inputs;
}
