import { isDeepStrictEqual } from 'node:util';
import { ByteWriter } from '../format/byte-writer.ts';
import type { Serde } from '../format/serde.ts';
import { hasPrimitives, json, structured } from '../format/serdes.ts';
import type { JobDefinition, ProcessNode } from '../graph/job.ts';
import { UserCodeError } from '../records/errors.ts';
import type { StateDeclaration } from '../state/columns/columns.ts';

/** Of which state an object is. */
interface OfState {
  readonly operator: string;
  readonly state: string;
  readonly serde: Serde<unknown>;
}

/** An object that was of a state in an epoch before, and what it said at the end of that. */
interface Kept {
  readonly object: WeakRef<object>;
  readonly of: OfState;
  readonly encoded: string | undefined;
}

/**
 * Finds what a function keeps of its state beyond the epoch, and changes then. Plain objects and arrays are frozen by the engine; of
 * others (of a class, Maps, Sets, dates, bytes) a deployment has no way to tell: the change reaches no state, and nobody says so.
 */
export class KeptObjects {
  /** Given out or written in this epoch. */
  readonly #met = new Map<object, OfState>();
  #kept: Kept[] = [];

  /** The job, of whose states this knows the objects. */
  watching({ name, nodes }: JobDefinition): JobDefinition {
    return { name, nodes: nodes.map((node) => (node.kind === 'process' ? this.#watchingNode(node) : node)) };
  }

  /** An epoch is over. @throws UserCodeError for an object of an epoch before that has changed in this one; once for each */
  check(): void {
    const kept = this.#kept;
    this.#kept = [];
    let changed: OfState | undefined;
    for (const each of kept) {
      const object = each.object.deref();
      if (object === undefined || this.#met.has(object)) continue;
      if (encodingOf(object, each.of) === each.encoded) this.#kept.push(each);
      else changed ??= each.of;
    }
    for (const [object, of] of this.#met)
      if (mayChange(object)) this.#kept.push({ object: new WeakRef(object), of, encoded: encodingOf(object, of) });
    this.#met.clear();
    if (changed === undefined) return;
    const { operator, state } = changed;
    const what = `an object of state ${state} was changed in a later epoch than that of its record: that reaches no state. Keep nothing of it; get it anew`;
    throw new UserCodeError(operator, new TypeError(what));
  }

  #watchingNode(node: ProcessNode): ProcessNode {
    const watched = (states: readonly StateDeclaration[]) => states.map((state) => this.#watchingState(node.uid, state));
    const { states, broadcast } = node;
    return { ...node, states: watched(states), broadcast: broadcast && { ...broadcast, states: watched(broadcast.states) } };
  }

  #watchingState(operator: string, state: StateDeclaration): StateDeclaration {
    // What the engine keeps for itself nobody is given.
    if (state.name.startsWith('@')) return state;
    // A map's key is given out as a copy.
    const own = state.serdes.length - 1;
    const serdes = state.serdes.map((serde, index) =>
      index === own && !hasPrimitives(serde) ? this.#watchingSerde({ operator, state: state.name, serde }) : serde,
    );
    return { ...state, serdes } as unknown as StateDeclaration;
  }

  #watchingSerde(of: OfState): Serde<unknown> {
    const { serde } = of;
    const meet = (value: unknown): void => {
      if (typeof value === 'object' && value !== null) this.#met.set(value, of);
    };
    return {
      name: serde.name,
      ...(serde.older !== undefined && { older: serde.older }),
      ...(serde.prepare !== undefined && { prepare: () => serde.prepare?.() ?? Promise.resolve() }),
      write(value, out) {
        const start = out.position;
        serde.write(value, out);
        if (serde.name === json().name) expectGivenBack(value, serde, out.bytes.subarray(start, out.position));
        meet(value);
      },
      read(bytes, start, end) {
        const value = serde.read(bytes, start, end);
        meet(value);
        return value;
      },
    };
  }
}

/**
 * A value that JSON changes is read as it was set until its epoch ends, and as JSON has it from the next on. Properties without a value, and
 * the sign of 0, it may lose. @throws TypeError with the path
 */
function expectGivenBack(value: unknown, serde: Serde<unknown>, encoded: Buffer): void {
  const reason = value instanceof Date ? 'the value is a Date' : lossOf(value);
  if (reason === undefined || isDeepStrictEqual(serde.read(encoded, 0, encoded.length), value)) return;
  const what = reason.replace(/^structured: /, '').replace(/, which JSON .*$/, '');
  throw new TypeError(
    `json: ${what}, which JSON does not give back: it would be read as it was set up to the end of the epoch, and as JSON has it from the next on. Set what JSON can hold, or name another serde`,
  );
}

/** What `structured`, which is exact, says of it. */
function lossOf(value: unknown): string | undefined {
  if (Number.isNaN(value)) return 'the value is NaN';
  try {
    structured.write(value, new ByteWriter());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Undefined: it cannot be written. */
function encodingOf(object: object, { serde }: OfState): string | undefined {
  const out = new ByteWriter();
  try {
    serde.write(object, out);
  } catch {
    return undefined;
  }
  return out.bytes.toString('latin1', 0, out.position);
}

/** Nothing of what is frozen does, but what is in it that cannot be frozen. */
function mayChange(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return true;
  return !Object.isFrozen(value) || Object.values(value).some(mayChange);
}
