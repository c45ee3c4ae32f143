import type { JobDefinition, JobNode, ProcessNode, WindowNode } from '../../../../lib/graph/job.ts';
import { NaiveWindows } from '../../../support/naive-windows.ts';
import type { Epoch, Told, Written } from './epoch.ts';
import { OperatorState } from './keyed-state.ts';
import { kinds } from './kinds.ts';
import { copied, type Row } from './rows.ts';

/**
 * What a job must make of its input: one node after the other, over all rows of an epoch at once, with nothing but the graph,
 * the author's functions and serdes, and maps. Epochs are given to it in their order.
 */
export class Interpreter {
  readonly #job: JobDefinition;
  /** By operator uid: after the last epoch. */
  readonly #states = new Map<string, OperatorState>();
  /** The same of what was broadcast to them: under the key '' alone. */
  readonly #broadcastStates = new Map<string, OperatorState>();
  readonly #windows = new Map<string, NaiveWindows>();

  constructor(job: JobDefinition) {
    this.#job = job;
    for (const node of job.nodes) {
      if (node.kind === 'process') this.#states.set(node.uid, new OperatorState(node.states));
      if (node.kind === 'process' && node.broadcast !== undefined)
        this.#broadcastStates.set(node.uid, new OperatorState(node.broadcast.states));
      if (node.kind === 'window') this.#windows.set(node.uid, new NaiveWindows(node.shape, node));
    }
  }

  get states(): ReadonlyMap<string, OperatorState> {
    return this.#states;
  }

  get broadcastStates(): ReadonlyMap<string, OperatorState> {
    return this.#broadcastStates;
  }

  get windows(): ReadonlyMap<string, NaiveWindows> {
    return this.#windows;
  }

  /** Answers what each sink is to write of this epoch, by its uid. Throws what the author's functions throw. */
  run(told: Told): ReadonlyMap<string, readonly Written[]> {
    return this.runEpoch(told).written;
  }

  /** With what operators gave aside. */
  runEpoch(told: Told): Pick<Epoch, 'written' | 'aside'> {
    const epoch: Epoch = {
      told,
      stateOf: (node) => this.#stateOf(node),
      broadcastStateOf: ({ uid }) => this.#broadcastStates.get(uid) ?? NO_STATE,
      windowsOf: (node) => this.#windowsOf(node),
      aside: new Map(),
      written: new Map(),
    };
    for (const [uid, state] of this.#states) state.begin(told.timeOf(uid)?.processingMs ?? 0);
    const made: (readonly Row[])[] = [];
    for (const node of this.#job.nodes) {
      // Of several that read the same rows, each has its own.
      const own = (from: number, input: number): Row[] => (made[from] ?? []).map((row) => ({ ...row, value: copied(row.value), input }));
      made[node.id] = interpret(node, node.kind === 'source' ? [] : node.inputs.flatMap(own), epoch);
    }
    return epoch;
  }

  #stateOf({ uid }: ProcessNode): OperatorState {
    const state = this.#states.get(uid);
    if (state === undefined) throw new Error(`the job has no keyed operator ${uid}`);
    return state;
  }

  #windowsOf({ uid }: WindowNode): NaiveWindows {
    const windows = this.#windows.get(uid);
    if (windows === undefined) throw new Error(`the job has no windows ${uid}`);
    return windows;
  }
}

const NO_STATE = new OperatorState([]);

/** Node and function are of one kind, which the compiler does not see. */
function interpret(node: JobNode, input: readonly Row[], epoch: Epoch): readonly Row[] {
  const how = kinds[node.kind] as (node: JobNode, input: readonly Row[], epoch: Epoch) => readonly Row[];
  return how(node, input, epoch);
}
