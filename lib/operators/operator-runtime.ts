import { ExchangeReader } from '../format/exchange-reader.ts';
import type { Clock } from '../ports/clock.ts';
import type { StageTime } from '../protocol/event-time.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import { shortened, TimerError, textOf, UserCodeError } from '../records/errors.ts';
import type { BroadcastState } from '../state/broadcast-state.ts';
import type { StateMemory } from '../state/state-memory.ts';
import type { StateSet } from '../state/state-set.ts';
import type { Blame } from './async-calls.ts';
import type { CompiledJob } from './compiled-job.ts';
import type { OperatorOutput, StageContext } from './epoch-output.ts';
import { type BroadcastInput, type Head, type KeyedInput, openStage } from './opened-stage.ts';
import { SegmentValues } from './segment-values.ts';
import { ToldRows } from './told-rows.ts';

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
  /** It is of no use any more. */
  close(): void;
}

/** @param memory what its keyed state may take. @default no bound */
export function createOperatorRuntime(
  compiled: CompiledJob,
  stageId: string,
  context: StageContext,
  subtask: number,
  memory?: StateMemory,
): OperatorRuntime {
  let recordsIn = 0;
  let hasFired = false;
  let open = false;
  /** Is the end of the epoch's time under way, or done? */
  let isEnded = false;
  const stage = openStage(compiled, { stageId, context, subtask, memory }, (at) => (isEnded ? blameOnTimers(stageId, at) : blameOnNone));
  const { current, scope, clock, late, edges, calls, operators, inputs, states, broadcastStates } = stage;
  const told = new ToldRows(stage.broadcasts, current);
  const reader = new ExchangeReader();
  const values = new SegmentValues(reader, stageId);

  function checkStray(): void {
    const stray = scope.takeStray();
    if (stray === undefined) return;
    if (hasFired && recordsIn === 0) throw new TimerError(stray.operator, 'behind its timers', stray);
    throw new UserCodeError(stray.operator, stray);
  }

  function endTime(): void {
    if (!open || isEnded) throw new Error(`${stageId}: an end without begin, or after a failure`);
    open = false;
    told.tell(working);
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
      leave();
    }
  }

  function leave(): void {
    scope.isOpen = false;
    for (const operator of operators) operator.leave();
  }

  function hear({ value: serde, take }: BroadcastInput, segment: string): void {
    while (reader.next()) {
      const value = values.readValue(serde, segment);
      told.keep({ origin: current.origin, timestamp: reader.timestamp, value, take });
    }
  }

  function takeRows({ keyBy, value: serde, heads }: KeyedInput, segment: string): void {
    const first = heads[0] as Head;
    const keys = values.readKeys(keyBy, segment);
    for (const { operator } of heads) operator.meet(reader);
    current.keySerde = keyBy.key;
    scope.isOpen = true;
    try {
      while (reader.next()) {
        const index = reader.keyIndex;
        const key = keys[index];
        current.key = typeof key === 'object' ? values.readKey(keyBy) : key;
        current.keyHash = reader.hashes[index] as number;
        current.timestamp = reader.timestamp;
        const value = reader.valueIsKey ? key : values.readValue(serde, segment);
        first.takeRow(index, value);
        for (let at = 1; at < heads.length; at++) {
          if (typeof key === 'object') current.key = values.readKey(keyBy);
          (heads[at] as Head).takeRow(index, typeof value === 'object' ? values.readValue(serde, segment) : value);
        }
      }
    } finally {
      leave();
    }
    for (const { operator } of heads) operator.takeBack();
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
      told.begin();
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
        if (told.isTold) throw new Error(`${stageId}: ${name} was broadcast, and comes behind rows that were not`);
        hear(from, name);
        recordsIn += reader.rows;
        open = true;
        return;
      }
      told.tell(working);
      takeRows(from, name);
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

    close() {
      for (const state of [...states.values(), ...broadcastStates.values()]) state.close();
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
