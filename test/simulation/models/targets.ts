import type { JobDefinition, SinkNode } from '../../../lib/graph/job.ts';
import type { SinkTargets } from '../../../lib/ports/sink-targets.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import type { DeliveryPlace } from '../../../lib/sinks/deliver/spec.ts';
import { UploadPlace, uploadStoreOn } from '../../support/upload-place.ts';
import type { Carry } from './kafka-requests.ts';

/** Rows that a target was given, and took. */
export interface TakenRows {
  readonly place: Omit<DeliveryPlace, 'signal'>;
  readonly rows: readonly string[];
}

/** What sinks write to besides topics: a place for files, and a target for rows that takes each batch once, by its id. */
export class Targets {
  readonly uploads: UploadPlace;
  /** By the batch's id, in the order in which they came. */
  readonly taken = new Map<string, TakenRows>();
  /** Told of every batch, also of one that was taken before. */
  onRows: (given: TakenRows, isRepeat: boolean) => void = () => {};

  constructor(nowMs: () => number) {
    this.uploads = new UploadPlace(nowMs);
  }

  reachedBy(carry: Carry): SinkTargets {
    const failure = { lost, error: lost };
    const store = uploadStoreOn(this.uploads, (api, about, execute) => carry(api, about, failure, () => execute()));
    return { uploads: async () => store, items: () => Promise.reject(new Error('there are no tables in the simulation')) };
  }

  /** The job as a process has it: what its sinks deliver comes to the target through that process's network. */
  bound({ name, nodes }: JobDefinition, carry: Carry): JobDefinition {
    return { name, nodes: nodes.map((node) => (node.kind === 'sink' ? this.#boundSink(node, carry) : node)) };
  }

  #boundSink(node: SinkNode, carry: Carry): SinkNode {
    if (node.to.kind !== 'deliver') return node;
    const deliver = (rows: readonly unknown[], { signal: _, ...place }: DeliveryPlace) =>
      carry('deliver', place.id, { lost, error: lost }, () => this.#take({ place, rows: rows as readonly string[] }));
    return { ...node, to: { ...node.to, deliver } };
  }

  #take(given: TakenRows): void {
    const { id } = given.place;
    const isRepeat = this.taken.has(id);
    this.onRows(given, isRepeat);
    if (!isRepeat) this.taken.set(id, given);
  }
}

function lost(): never {
  throw new StoreProblem('the target gave no answer', true);
}
