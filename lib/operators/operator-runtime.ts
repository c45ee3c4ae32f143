import { ExchangeReader } from '../format/exchange-reader.ts';
import type { Serde } from '../format/serde.ts';
import type { JobDefinition, KeyedContext, ProcessNode } from '../graph/job.ts';
import { keyByOf, keyedOperators } from '../graph/stages.ts';
import { keyGroupRange } from '../protocol/key-groups.ts';
import { RecordScope } from '../state/record-scope.ts';
import { StateSet } from '../state/state-set.ts';
import { compileChain, type Push, refusePromise } from './chain.ts';
import type { CurrentRecord } from './current-record.ts';
import type { EpochOutput, StageContext } from './epoch-output.ts';
import { OversizedRecordError, textOf, UserCodeError } from './errors.ts';
import { StageOutput } from './stage-output.ts';

/** Runs an operator stage's subtask over its segments. One epoch: `begin`, `consume` for each segment, `finish`, then the snapshots are taken. */
export interface OperatorRuntime {
  /** By operator uid. */
  readonly states: ReadonlyMap<string, StateSet>;
  /**
   * Starts an epoch. Whatever output an epoch that was not finished has left is gone; what it did to the state is not:
   * throws unless the state was dropped (and loaded again) or its snapshots were taken.
   */
  begin(): void;
  /** Runs a segment's rows in order. Throws `UserCodeError`, also when a serde does not read what it wrote, or `MalformedError` when the segment is damaged. `name` says in errors what it is. */
  consume(segment: Buffer, name?: string): void;
  finish(): EpochOutput;
  /** Throws `UserCodeError` when user code has used a state or an output outside of its record since that was last asked. `begin` and `finish` ask too. */
  checkStray(): void;
  /** Forgets all state. */
  dropState(): void;
}

export function createOperatorRuntime(job: JobDefinition, stageId: string, context: StageContext, subtask: number): OperatorRuntime {
  const keyBy = keyByOf(job, stageId);
  const { maxParallelism } = context;
  const keyGroups = keyGroupRange(subtask, context.parallelism(stageId), maxParallelism);
  const current: CurrentRecord = { timestamp: 0, key: undefined, keyHash: 0, keySerde: keyBy.key };
  const output = new StageOutput(job, context, current);
  const scope = new RecordScope();
  const operators = keyedOperators(job, keyBy).map((node) => {
    const state = new StateSet({ uid: node.uid, states: node.states, maxParallelism, keyGroups, scope });
    return new KeyedOperator(node, state, compileChain(job, node.id, output, 'kept'), current, scope);
  });
  const reader = new ExchangeReader();
  let recordsIn = 0;
  let open = false;

  function checkStray(): void {
    const stray = scope.takeStray();
    if (stray !== undefined) throw new UserCodeError(stray.operator, stray);
  }

  /** The keys of the segment's dictionary, by index. */
  function readKeys(segment: string): unknown[] {
    const keys: unknown[] = [];
    try {
      for (let index = 0; index < reader.keys; index++)
        keys.push(keyBy.key.read(reader.bytes, reader.keyStarts[index] as number, reader.keyEnds[index] as number));
    } catch (cause) {
      throw unreadable(`key ${keys.length} of the segment`, segment, keyBy.key, cause);
    }
    return keys;
  }

  /** The current row's value. Decoded for each operator anew if it is an object, which one may change in place. */
  function readValue(segment: string): unknown {
    try {
      return keyBy.value.read(reader.bytes, reader.valueStart, reader.valueEnd);
    } catch (cause) {
      throw unreadable('a value of the segment', segment, keyBy.value, cause);
    }
  }

  /** The current row's key anew, for the same reason. */
  function readKey(): unknown {
    return keyBy.key.read(reader.bytes, reader.keyStarts[reader.keyIndex] as number, reader.keyEnds[reader.keyIndex] as number);
  }

  /** The segment is whole, its checksum says so: some record has what its serde writes and does not read. */
  function unreadable(what: string, segment: string, serde: Serde<unknown>, cause: unknown): UserCodeError {
    const reason = cause instanceof Error ? cause.message : textOf(cause);
    return new UserCodeError(stageId, new TypeError(`${segment}: serde ${serde.name} cannot read ${what}: ${reason}`, { cause }));
  }

  return {
    states: new Map(operators.map(({ uid, state }) => [uid, state])),

    begin() {
      checkStray();
      for (const { uid, state } of operators) {
        if (state.changed())
          throw new Error(`${uid}: the state holds changes of an epoch without a snapshot; drop it and load the snapshot to start from`);
      }
      output.begin();
      recordsIn = 0;
      open = true;
    },

    consume(segment, name = `segment for ${stageId}`) {
      if (!open) throw new Error(`${stageId}: consume without begin, or after a failure`);
      open = false;
      reader.open(segment, name);
      const keys = readKeys(name);
      for (const operator of operators) operator.meet(reader);
      scope.isOpen = true;
      try {
        while (reader.next()) {
          const index = reader.keyIndex;
          const key = keys[index];
          current.key = typeof key === 'object' ? readKey() : key;
          current.keyHash = reader.hashes[index] as number;
          current.timestamp = reader.timestamp;
          const value = reader.valueIsKey ? key : readValue(name);
          (operators[0] as KeyedOperator).process(index, value);
          for (let at = 1; at < operators.length; at++) {
            if (typeof key === 'object') current.key = readKey();
            (operators[at] as KeyedOperator).process(index, typeof value === 'object' ? readValue(name) : value);
          }
        }
      } finally {
        scope.isOpen = false;
        for (const { state } of operators) state.keys.current = -1;
      }
      for (const operator of operators) operator.takeBack();
      recordsIn += reader.rows;
      open = true;
    },

    finish() {
      if (!open) throw new Error(`${stageId}: finish without begin, or after a failure`);
      open = false;
      checkStray();
      return output.finish(recordsIn);
    },

    checkStray,

    dropState() {
      for (const { state } of operators) state.drop();
    },
  };
}

/** One keyed operator, its state and what is behind it. */
class KeyedOperator {
  readonly uid: string;
  readonly state: StateSet;
  readonly #keys: StateSet['keys'];
  readonly #onRecord: ProcessNode['onRecord'];
  readonly #out: { readonly emit: Push };
  readonly #context: KeyedContext<unknown>;
  /** The state's numbers of the segment's keys, by index. */
  #numbers = new Uint32Array(1024);

  constructor(node: ProcessNode, state: StateSet, next: Push, current: CurrentRecord, scope: RecordScope) {
    const { uid } = node;
    this.uid = uid;
    this.state = state;
    this.#keys = state.keys;
    this.#onRecord = node.onRecord;
    this.#out = {
      emit(value) {
        if (!scope.isOpen) scope.refuse(uid, 'out.emit');
        if (typeof value === 'object') refusePromise(value);
        next(value);
      },
    };
    this.#context = {
      get key() {
        return scope.isOpen ? current.key : scope.refuse(uid, 'context.key');
      },
      get timestamp() {
        return scope.isOpen ? current.timestamp : scope.refuse(uid, 'context.timestamp');
      },
    };
  }

  /** Finds the state of every key of the segment, once for each key rather than for each row. */
  meet(reader: ExchangeReader): void {
    const { state } = this;
    const { keys, bytes, keyStarts, keyEnds, hashes } = reader;
    state.forgetMet();
    if (keys > this.#numbers.length) this.#numbers = new Uint32Array(keys * 2);
    for (let index = 0; index < keys; index++)
      this.#numbers[index] = state.keys.numberOf(bytes, keyStarts[index] as number, keyEnds[index] as number, hashes[index] as number);
  }

  process(index: number, value: unknown): void {
    this.#keys.current = this.#numbers[index] as number;
    try {
      const result = this.#onRecord(value, this.state.handles, this.#out, this.#context);
      if (typeof result === 'object') refusePromise(result);
    } catch (cause) {
      // What failed behind this operator was named where it failed.
      if (cause instanceof UserCodeError || cause instanceof OversizedRecordError) throw cause;
      throw new UserCodeError(this.uid, cause);
    }
  }

  /** The rows are done with: what their handles gave out is taken back. */
  takeBack(): void {
    try {
      this.state.takeBack();
    } catch (cause) {
      throw new UserCodeError(this.uid, cause);
    }
  }
}
