import { ExchangeReader } from '../format/exchange-reader.ts';
import { MalformedError } from '../format/serde.ts';
import type { JobDefinition, KeyByNode, ProcessNode } from '../graph/job.ts';
import { keyByOf, keyedOperators } from '../graph/stages.ts';
import { keyGroupRange } from '../state/key-groups.ts';
import { KeyedState } from '../state/keyed-state.ts';
import { compileChain, type Push, refusePromise } from './chain.ts';
import type { CurrentRecord } from './current-record.ts';
import type { EpochOutput, StageContext } from './epoch-output.ts';
import { OversizedRecordError, UserCodeError } from './errors.ts';
import { StageOutput } from './stage-output.ts';

/** Runs an operator stage's subtask over its segments. One epoch: `begin`, `consume` for each segment, `finish`, then the snapshots are taken. */
export interface OperatorRuntime {
  /** By operator uid. */
  readonly states: ReadonlyMap<string, KeyedState>;
  /**
   * Starts an epoch. Whatever output an epoch that was not finished has left is gone; what it did to the state is not:
   * throws unless the state was dropped (and loaded again) or its snapshots were taken.
   */
  begin(): void;
  /** Runs a segment's rows in order. Throws `UserCodeError`, or `MalformedError` when the segment is damaged. `name` says in errors what it is. */
  consume(segment: Buffer, name?: string): void;
  finish(): EpochOutput;
  /** Forgets all state. */
  dropState(): void;
}

export function createOperatorRuntime(job: JobDefinition, stageId: string, context: StageContext, subtask: number): OperatorRuntime {
  const keyBy = keyByOf(job, stageId);
  const { maxParallelism } = context;
  const keyGroups = keyGroupRange(subtask, context.parallelism(stageId), maxParallelism);
  const current: CurrentRecord = { timestamp: 0, key: undefined, keyHash: 0, keySerde: keyBy.key };
  const output = new StageOutput(job, context, current);
  const operators = keyedOperators(job, keyBy).map((node) => {
    const state = new KeyedState({ uid: node.uid, states: node.states, maxParallelism, keyGroups });
    return new KeyedOperator(node, state, compileChain(job, node.id, output), current);
  });
  const reader = new ExchangeReader();
  let recordsIn = 0;
  let open = false;

  return {
    states: new Map(operators.map(({ uid, state }) => [uid, state])),

    begin() {
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
      const keys = readKeys(reader, keyBy, name);
      for (const operator of operators) operator.meet(reader);
      while (reader.next()) {
        const index = reader.keyIndex;
        const key = keys[index];
        current.key = key;
        current.keyHash = reader.hashes[index] as number;
        current.timestamp = reader.timestamp;
        const value = reader.valueIsKey ? key : keyBy.value.read(reader.bytes, reader.valueStart, reader.valueEnd);
        for (let at = 0; at < operators.length; at++) (operators[at] as KeyedOperator).process(index, value);
      }
      recordsIn += reader.rows;
      open = true;
    },

    finish() {
      if (!open) throw new Error(`${stageId}: finish without begin, or after a failure`);
      open = false;
      return output.finish(recordsIn);
    },

    dropState() {
      for (const { state } of operators) state.drop();
    },
  };
}

/** The keys of the reader's dictionary, by index. */
function readKeys(reader: ExchangeReader, { key: serde }: KeyByNode, name: string): unknown[] {
  const keys: unknown[] = [];
  try {
    for (let index = 0; index < reader.keys; index++)
      keys.push(serde.read(reader.bytes, reader.keyStarts[index] as number, reader.keyEnds[index] as number));
  } catch (cause) {
    throw new MalformedError(
      `${name}: serde ${serde.name} cannot read key ${keys.length} of the segment: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  return keys;
}

/** One keyed operator, its state and what is behind it. */
class KeyedOperator {
  readonly uid: string;
  readonly state: KeyedState;
  readonly #onRecord: ProcessNode['onRecord'];
  readonly #out: { readonly emit: Push };
  readonly #current: CurrentRecord;
  /** The state's numbers of the segment's keys, by index. */
  #numbers = new Uint32Array(1024);

  constructor(node: ProcessNode, state: KeyedState, next: Push, current: CurrentRecord) {
    this.uid = node.uid;
    this.state = state;
    this.#onRecord = node.onRecord;
    this.#out = { emit: next };
    this.#current = current;
  }

  /** Finds the state of every key of the segment, once for each key rather than for each row. */
  meet(reader: ExchangeReader): void {
    const { state } = this;
    const { keys, bytes, keyStarts, keyEnds, hashes } = reader;
    state.forgetMet();
    if (keys > this.#numbers.length) this.#numbers = new Uint32Array(keys * 2);
    for (let index = 0; index < keys; index++)
      this.#numbers[index] = state.numberOf(bytes, keyStarts[index] as number, keyEnds[index] as number, hashes[index] as number);
  }

  process(index: number, value: unknown): void {
    this.state.current = this.#numbers[index] as number;
    try {
      const result = this.#onRecord(value, this.state.handles, this.#out, this.#current);
      if (typeof result === 'object') refusePromise(result);
    } catch (cause) {
      // What failed behind this operator was named where it failed.
      if (cause instanceof UserCodeError || cause instanceof OversizedRecordError) throw cause;
      throw new UserCodeError(this.uid, cause);
    }
  }
}
