import { type FunctionInvoker, type FunctionTarget, InvokeError } from '../../../lib/ports/function-invoker.ts';
import type { Dice } from '../kernel/dice.ts';
import { type Log, type Network, standsStill } from '../kernel/network.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';

/** What runs in a function's process: its state lives as long as the process. */
export type Handler = (request: unknown) => Promise<unknown>;

export interface FunctionServiceOptions {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly log: Log;
  /** One invocation at a time in each process, which stands still in between; or any number, as processes on one machine. */
  readonly oneAtATime: boolean;
  /** A new process, with the build that is deployed now. */
  readonly newProcess: (name: string, target: FunctionTarget) => SimProcess;
  /** Starts what runs in it. */
  readonly boot: (process: SimProcess) => Handler;
}

interface Instance {
  readonly process: SimProcess;
  readonly handler: Handler;
  /** The function: subtasks of a source or a sink share one. */
  readonly of: string;
  busy: number;
}

const COLD_START_MS = 120;

/** The function service: processes start cold, stay warm, die, are frozen; invocations are lost, late, and run twice. */
export class FunctionService {
  readonly instances: Instance[] = [];
  readonly #options: FunctionServiceOptions;
  readonly #started = new Map<string, number>();

  constructor(options: FunctionServiceOptions) {
    this.#options = options;
  }

  /** Ends every process of the other builds once it is idle: what a deployment does in the end. */
  replaceBuilds(build: string): void {
    for (const { process, busy } of this.instances) if (process.build !== build && busy === 0) process.kill();
  }

  invokerFor(caller: SimProcess): FunctionInvoker {
    return {
      invoke: (target, payload, { timeoutMs, signal }) => {
        if (!caller.alive) return new Promise(() => {});
        return new Promise((resolve, reject) => this.#invoke(caller, target, payload, timeoutMs, signal, resolve, reject));
      },
    };
  }

  #invoke(
    caller: SimProcess,
    target: FunctionTarget,
    payload: unknown,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    resolve: (answer: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    const { scheduler, network, log } = this.#options;
    const text = JSON.stringify(payload);
    const { ask, epoch } = payload as { ask: string; epoch: number };
    const about = `${target.stage} ${target.subtask} epoch ${epoch}`;
    const { fault, dice } = network.meet(caller, 'functions', `invoke ${ask}`, about);
    if (!caller.alive) return;
    if (fault?.fault === 'crash' && fault.when === 'before') return network.crash(caller);

    let over = false;
    const settle = (how: () => void) => {
      if (over) return;
      over = true;
      timeout.cancelled = true;
      signal?.removeEventListener('abort', onAbort);
      how();
    };
    const fail = (delayMs: number, reason: string) =>
      scheduler.after(delayMs, caller, () =>
        settle(() => {
          log(caller.name, () => `invoke ${ask} ${about} → ${reason}`);
          reject(new InvokeError(target, reason));
        }),
      );
    const onAbort = () => settle(() => reject(new InvokeError(target, 'it was not waited for any longer')));
    const timeout = fail(Math.max(timeoutMs, 0), `no answer within ${timeoutMs} ms`);
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });

    const deliver = () => {
      if (network.isCut('functions', caller)) return void fail(dice.between(1, 2000), 'the service cannot be reached');
      switch (fault?.fault) {
        case 'error':
          return void fail(dice.between(1, 20), 'throttled');
        case 'lose':
          fail(dice.between(1, 3000), 'the connection was lost');
          if (fault.what === 'answer') this.#run(target, text, dice, false, () => {});
          return;
        case 'late':
          fail(dice.between(1, 3000), 'the connection was lost');
          scheduler.after(fault.byMs, undefined, () => this.#run(target, text, dice, false, () => {}));
          return;
        case 'twice':
          scheduler.after(fault.byMs, undefined, () => this.#run(target, text, dice, dice.chance(0.5), () => {}));
          break;
      }
      const cold = fault?.fault === 'cold';
      scheduler.after(dice.between(0.2, 4) + (fault?.fault === 'slow' ? fault.byMs : 0), undefined, () => {
        if (fault?.fault === 'crash') network.crash(caller);
        if (fault?.fault === 'freeze' && fault.when === 'after') caller.freeze(scheduler.nowMs + fault.forMs);
        this.#run(target, text, dice, cold, (result) => {
          if (!result.answered) return void fail(dice.between(0.2, 4), result.reason);
          scheduler.after(dice.between(0.2, 4), caller, () =>
            settle(() => {
              log(caller.name, () => `invoke ${ask} ${about} → ${shortened(result.text)}`);
              resolve(JSON.parse(result.text));
            }),
          );
        });
      });
    };
    if (standsStill(fault)) caller.freeze(scheduler.nowMs + fault.forMs);
    if (caller.frozenUntilMs > scheduler.nowMs) scheduler.after(0, caller, deliver);
    else deliver();
  }

  /** One execution of the handler, in a warm process or a new one. */
  #run(
    target: FunctionTarget,
    text: string,
    dice: Dice,
    cold: boolean,
    done: (result: { readonly answered: true; readonly text: string } | { readonly answered: false; readonly reason: string }) => void,
  ): void {
    const { scheduler, log, oneAtATime } = this.#options;
    const warm = cold ? undefined : this.#warm(target, dice);
    const instance = warm ?? this.#start(target);
    const { process, handler } = instance;
    instance.busy++;
    if (process.parked) process.unpark(scheduler);
    const died = () => done({ answered: false, reason: 'the process died' });
    const end = () => {
      process.onDeath.delete(died);
      instance.busy--;
      if (oneAtATime && instance.busy === 0) process.parked = true;
    };
    process.onDeath.add(died);
    scheduler.after(warm === undefined ? COLD_START_MS : 0.1, process, () => {
      log(process.name, () => `begins ${shortened(text)}`);
      handler(JSON.parse(text)).then(
        (answer) => {
          const answered = JSON.stringify(answer);
          end();
          done({ answered: true, text: answered });
        },
        (error: unknown) => {
          log(process.name, () => `threw ${error instanceof Error ? error.stack : String(error)}`);
          end();
          done({ answered: false, reason: error instanceof Error ? error.message : String(error) });
        },
      );
    });
  }

  #warm(target: FunctionTarget, dice: Dice): Instance | undefined {
    const { scheduler, oneAtATime } = this.#options;
    const of = functionOf(target);
    const free = this.instances.filter(
      (each) => each.of === of && each.process.alive && (!oneAtATime || (each.busy === 0 && each.process.frozenUntilMs <= scheduler.nowMs)),
    );
    return free.length === 0 ? undefined : dice.pick(free);
  }

  #start(target: FunctionTarget): Instance {
    const of = functionOf(target);
    const number = (this.#started.get(of) ?? 0) + 1;
    this.#started.set(of, number);
    const process = this.#options.newProcess(`${of}#${number}`, target);
    const instance = { process, handler: this.#options.boot(process), of, busy: 0 };
    this.instances.push(instance);
    return instance;
  }
}

function functionOf({ role, stage, subtask }: FunctionTarget): string {
  return role === 'operator' ? `${role}-${stage}-${subtask}` : `${role}-${stage}`;
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
