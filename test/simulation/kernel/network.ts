import { Dice, hashOf } from './dice.ts';
import { type Call, describeFault, type Fault, type Faults, type Service } from './faults.ts';
import type { SimProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

export type Log = (actor: string, what: () => string) => void;

export interface NetworkOptions {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly log: Log;
  /** Faults that befall more than the call. */
  readonly onWorldFault: (fault: Fault, call: Call) => void;
}

/** How one kind of request fails. */
export interface Failure<T> {
  /** What the caller sees when no answer came: a value, or thrown. */
  readonly lost: () => T;
  /** What it sees when the request was refused and not carried out. */
  readonly error: (dice: Dice) => T;
  /** Requests of one connection arrive in order. */
  readonly connection?: string;
}

export interface Injected {
  readonly call: Call;
  readonly fault: Fault;
}

/** Every call of every port goes through here: it takes time, and it is where faults happen. */
export class Network {
  readonly injected: Injected[] = [];
  readonly #options: NetworkOptions;
  readonly #counts = new Map<string, number>();
  readonly #arrivals = new Map<string, number>();
  readonly #outages = new Map<string, number>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Nobody, or only `caller`, reaches the service for a time. */
  cut(service: Service, caller: SimProcess | undefined, forMs: number): void {
    this.#outages.set(`${service} ${caller?.name ?? '*'}`, this.#options.scheduler.nowMs + forMs);
  }

  isCut(service: Service, caller: SimProcess): boolean {
    const { nowMs } = this.#options.scheduler;
    return (this.#outages.get(`${service} *`) ?? 0) > nowMs || (this.#outages.get(`${service} ${caller.name}`) ?? 0) > nowMs;
  }

  /** Names a call and asks which fault befalls it. */
  meet(
    caller: SimProcess,
    service: Service,
    api: string,
    about: string,
  ): { readonly call: Call; readonly fault: Fault | undefined; readonly dice: Dice } {
    const { seed, faults, scheduler, log } = this.#options;
    const name = `${caller.name} ${api}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const call: Call = { id: `${name} ${count}`, caller, service, api, about, atMs: scheduler.nowMs };
    const fault = faults(call);
    if (fault !== undefined) {
      this.injected.push({ call, fault });
      log('FAULT', () => `${describeFault(fault)}: ${call.id} (${about})`);
      this.#options.onWorldFault(fault, call);
    }
    return { call, fault, dice: new Dice(hashOf(seed, call.id)) };
  }

  /** One request and its answer. `execute` is what the service does; it may throw what the port throws. */
  call<T>(caller: SimProcess, service: Service, api: string, about: string, failure: Failure<T>, execute: (dice: Dice) => T): Promise<T> {
    const { scheduler, log } = this.#options;
    if (!caller.alive) return new Promise(() => {});
    const { call, fault, dice } = this.meet(caller, service, api, about);
    return new Promise<T>((resolve, reject) => {
      const answer = (delayMs: number, make: () => T) => {
        scheduler.after(delayMs, caller, () => {
          try {
            const value = make();
            log(caller.name, () => `${api} ${about} → ${shown(value)}`);
            resolve(value);
          } catch (error) {
            log(caller.name, () => `${api} ${about} → threw ${error instanceof Error ? error.message.slice(0, 120) : String(error)}`);
            reject(error);
          }
        });
      };
      const noAnswer = () => answer(dice.chance(0.5) ? dice.between(1, 50) : dice.between(500, 2500), failure.lost);
      const carryOut = (): (() => T) => {
        try {
          const value = execute(dice);
          return () => value;
        } catch (error) {
          return () => {
            throw error;
          };
        }
      };
      const send = () => {
        if (this.isCut(service, caller)) return noAnswer();
        if (fault?.fault === 'lose' && fault.what === 'request') return noAnswer();
        if (fault?.fault === 'error') return answer(dice.between(0.5, 5), () => failure.error(dice));
        const late = fault?.fault === 'late' || fault?.fault === 'slow' ? fault.byMs : 0;
        let arrivesMs = scheduler.nowMs + dice.between(0.1, 3) + late;
        if (failure.connection !== undefined) {
          const line = `${caller.name} ${failure.connection}`;
          arrivesMs = Math.max(arrivesMs, this.#arrivals.get(line) ?? 0);
          this.#arrivals.set(line, arrivesMs);
        }
        if (fault?.fault === 'late') noAnswer();
        scheduler.at(arrivesMs, undefined, () => {
          if (fault?.fault !== 'late' && this.isCut(service, caller)) return noAnswer();
          const make = carryOut();
          if (fault?.fault === 'late') return log(service, () => `carries out late: ${call.id} ${about}`);
          if (fault?.fault === 'lose') return noAnswer();
          if (fault?.fault === 'crash') return this.crash(caller);
          if (fault?.fault === 'freeze' && fault.when === 'after') caller.freeze(scheduler.nowMs + fault.forMs);
          answer(dice.between(0.1, 3), make);
        });
      };
      if (!caller.alive) return;
      if (fault?.fault === 'crash' && fault.when === 'before') return this.crash(caller);
      if (standsStill(fault)) caller.freeze(scheduler.nowMs + fault.forMs);
      // A frozen process sends when it thaws.
      if (caller.frozenUntilMs > scheduler.nowMs) scheduler.after(0, caller, send);
      else send();
    });
  }

  crash(caller: SimProcess): void {
    this.#options.log(caller.name, () => 'CRASHED');
    caller.kill();
  }
}

/** Does the caller stand still before it sends the request? */
export function standsStill(fault: Fault | undefined): fault is Fault & { readonly forMs: number } {
  return (fault?.fault === 'freeze' && fault.when === 'before') || fault?.fault === 'depose' || fault?.fault === 'command';
}

function shown(value: unknown): string {
  if (value === undefined) return 'done';
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'bigint' ? String(part) : part instanceof Map ? [...part] : isBytes(part) ? `${part.data.length} bytes` : part,
  );
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

function isBytes(part: unknown): part is { data: number[] } {
  return typeof part === 'object' && part !== null && 'type' in part && part.type === 'Buffer';
}
