import type { StateDeclaration } from '../../../../lib/state/columns/columns.ts';
import type { Kept } from '../blobs.ts';
import { Ages, livingIn } from './ages.ts';
import { type Handle, openHandle } from './handles.ts';

/**
 * The state of one keyed operator: by the key's bytes (as latin1), then by name of the state what it holds, as its serdes write it. A
 * state that holds nothing is not there, nor is a key without any.
 */
export class OperatorState {
  readonly keys = new Map<string, Map<string, Kept>>();
  readonly #declared: readonly StateDeclaration[];
  #nowMs = 0;

  constructor(declared: readonly StateDeclaration[]) {
    this.#declared = declared;
  }

  /** An epoch begins: what has expired is there no more. */
  begin(processingMs: number): void {
    this.#nowMs = processingMs;
    const living = livingIn(this.keys, this.#declared, processingMs);
    this.keys.clear();
    for (const [key, states] of living) this.keys.set(key, states);
  }

  /** Has `work` done with the states of a key; then takes back what they gave out. */
  workOn(key: string, work: (handles: Readonly<Record<string, Handle>>) => void): void {
    const states = this.keys.get(key) ?? new Map<string, Kept>();
    const handles: Record<string, Handle> = Object.create(null);
    for (const declared of this.#declared)
      handles[declared.name] = openHandle(declared, states.get(declared.name), new Ages(declared, this.#nowMs));
    work(handles);
    for (const [name, handle] of Object.entries(handles)) {
      const kept = handle.takeBack();
      if (kept === undefined) states.delete(name);
      else states.set(name, kept);
    }
    if (states.size > 0) this.keys.set(key, states);
    else this.keys.delete(key);
  }
}
