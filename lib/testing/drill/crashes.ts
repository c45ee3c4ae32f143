import { StoreProblem } from '../../ports/store-problem.ts';

/** Where a process is to die: at its n-th call of something outside (from 1 on), before it is made or behind its answer. */
export interface CrashPoint {
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** What goes wrong at that point. `fail`: the call is not made, and the caller sees an error. */
export type Mishap = CrashPoint & { readonly what: 'die' | 'fail' };

/** One process, of which every call of something outside is counted. Once it has died nothing that it waits for ever comes. */
export class Mortal {
  /** How often it has called. */
  calls = 0;
  readonly died: Promise<void>;
  readonly #mishap: Mishap | undefined;
  #die: () => void = () => {};
  #isDead = false;

  constructor(mishap?: Mishap) {
    this.#mishap = mishap;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  async call(make: () => unknown): Promise<unknown> {
    if (this.#isDead) return new Promise(() => {});
    this.calls++;
    const mishap = this.#mishap?.call === this.calls ? this.#mishap : undefined;
    if (mishap?.what === 'fail') throw new StoreProblem('the drill has the target fail once', true);
    if (mishap?.when === 'before') return this.#end();
    const made = await make();
    if (mishap?.when === 'after' || this.#isDead) return this.#end();
    return made;
  }

  /** The same thing, of which each call is one of this process. What returns no promise is passed on. */
  watched<T extends object>(thing: T): T {
    return new Proxy(thing, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function' || String(name).startsWith('forget')) return value;
        return (...given: unknown[]) => this.call(() => value.apply(target, given) as unknown);
      },
    });
  }

  #end(): Promise<never> {
    this.#isDead = true;
    this.#die();
    return new Promise(() => {});
  }
}
