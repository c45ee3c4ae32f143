import type { StateDeclaration } from '../../../../lib/graph/job.ts';
import { decoded, encoded } from './rows.ts';

/** The state of one keyed operator: by the key's bytes (as latin1). A key without any value is not there. */
export class OperatorState {
  readonly keys = new Map<string, Map<string, Buffer>>();
  readonly #declared: readonly StateDeclaration[];

  constructor(declared: readonly StateDeclaration[]) {
    this.#declared = declared;
  }

  /** Has `work` done with the states of a key; then takes back what they gave out. */
  workOn(key: string, work: (handles: Readonly<Record<string, ValueHandle>>) => void): void {
    const values = this.keys.get(key) ?? new Map<string, Buffer>();
    const handles: Record<string, ValueHandle> = Object.create(null);
    for (const declared of this.#declared) handles[declared.name] = new ValueHandle(declared, values);
    work(handles);
    for (const handle of Object.values(handles)) handle.takeBack();
    if (values.size > 0) this.keys.set(key, values);
    else this.keys.delete(key);
  }
}

/** One state of one key, while one record is worked on. */
class ValueHandle {
  readonly #declared: StateDeclaration;
  readonly #values: Map<string, Buffer>;
  #lent: { readonly value: unknown; readonly before: Buffer | undefined } | undefined;

  constructor(declared: StateDeclaration, values: Map<string, Buffer>) {
    this.#declared = declared;
    this.#values = values;
  }

  get(): unknown {
    if (this.#lent !== undefined) return this.#lent.value;
    const stored = this.#values.get(this.#declared.name);
    const value = stored === undefined ? this.#initial() : decoded(this.#declared.serde, stored);
    // An object that is changed in place is saved; an initial value that is only read is not.
    if (typeof value === 'object' && value !== null) this.#lent = { value, before: encoded(this.#declared.serde, value) };
    return value;
  }

  set(value: unknown): void {
    if (value === undefined) throw new TypeError('a state cannot be set to undefined');
    this.#lent = { value, before: undefined };
  }

  update(change: (value: unknown) => unknown): unknown {
    const value = change(this.get());
    this.set(value);
    return value;
  }

  clear(): void {
    this.#lent = undefined;
    this.#values.delete(this.#declared.name);
  }

  takeBack(): void {
    if (this.#lent === undefined) return;
    const { value, before } = this.#lent;
    const after = encoded(this.#declared.serde, value);
    if (before === undefined || !before.equals(after)) this.#values.set(this.#declared.name, after);
  }

  /** An object is made anew each time, so that no two keys share one. */
  #initial(): unknown {
    const { initial, serde } = this.#declared;
    if (typeof initial === 'function') return (initial as () => unknown)();
    return typeof initial === 'object' && initial !== null ? decoded(serde, encoded(serde, initial)) : initial;
  }
}
