import { compilePlan } from '../../../lib/plan/compile.ts';
import { type FunctionInvoker, type FunctionTarget, InvokeError } from '../../../lib/ports/function-invoker.ts';
import type { OperatorRequest, SinkRequest, SourceRequest } from '../../../lib/protocol/requests.ts';
import { received } from '../../../lib/stages/received.ts';
import { createOperatorServer, createSourceServer, refusalOf, serveSink } from '../../../lib/stages/serve.ts';
import type { Dice } from '../kernel/dice.ts';
import { SimProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { longJob } from './long-job.ts';
import type { Services } from './services.ts';

type Handler = (request: unknown) => Promise<unknown>;

/** A function answers after so long. */
const FUNCTION_MS = 5;

export interface FunctionsOptions {
  readonly services: Services;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly inlineBlobBytes: number;
  /** How many of the calls fail, from 0 to 1, after the function has done its work. */
  readonly failures: number;
}

/** The stages' functions, warm: each keeps its process until they are all lost. */
export class LongFunctions {
  readonly #options: FunctionsOptions;
  readonly #handlers = new Map<string, Handler>();
  #started = 0;

  constructor(options: FunctionsOptions) {
    this.#options = options;
  }

  lose(): void {
    this.#handlers.clear();
  }

  invokerFor(caller: SimProcess): FunctionInvoker {
    const { services, scheduler, dice, failures } = this.#options;
    return {
      invoke: async (target, payload) => {
        if (!caller.alive) return new Promise(() => {});
        services.calls.add(`invoke ${(payload as { readonly ask: string }).ask}`, undefined);
        const answer = await this.#handlerOf(target)(JSON.parse(JSON.stringify(payload)));
        const text = JSON.stringify(answer);
        await new Promise<void>((resolve) => void scheduler.after(FUNCTION_MS, caller, resolve));
        if (failures > 0 && dice.chance(failures)) throw new InvokeError(target, 'the connection was lost');
        return JSON.parse(text) as unknown;
      },
    };
  }

  #handlerOf(target: FunctionTarget): Handler {
    const { role, stage, subtask } = target;
    const place = role === 'operator' ? `${stage} ${subtask}` : stage;
    const handler = this.#handlers.get(place) ?? this.#boot(place);
    this.#handlers.set(place, handler);
    return handler;
  }

  #boot(place: string): Handler {
    const process = new SimProcess(`${place} #${++this.#started}`, 'operator', 'a', { skewMs: 0, drift: 0, beganMs: 0 });
    const { services, inlineBlobBytes } = this.#options;
    const tools = { ...services.portsOf(process), job: longJob, plan: compilePlan(longJob), build: 'a', inlineBlobBytes };
    const source = createSourceServer();
    const operator = createOperatorServer();
    return async (request) => {
      const asked = received(request as SourceRequest | OperatorRequest | SinkRequest, tools.clock.elapsedMs());
      const refusal = refusalOf(tools, asked);
      if (refusal !== undefined) return refusal;
      if (asked.ask === 'read') return source(tools, asked);
      return asked.ask === 'process' ? operator(tools, asked) : serveSink(tools, asked);
    };
  }
}
