import type { Clock } from '../../lib/ports/clock.ts';
import { type FunctionInvoker, type FunctionTarget, InvokeError } from '../../lib/ports/function-invoker.ts';
import { createSocketCalls, type FunctionSocket } from './socket-call.ts';

/** Stages as child processes of one machine. @param socketOf where the function of a target listens */
export function createSocketInvoker(socketOf: (target: FunctionTarget) => FunctionSocket, clock: Clock): FunctionInvoker {
  const calls = createSocketCalls(clock);
  return {
    async invoke(target, payload, { timeoutMs, signal }) {
      const answer = await calls.call(socketOf(target), { body: Buffer.from(JSON.stringify(payload)), timeoutMs, signal });
      if (answer.outcome === 'answered') return JSON.parse(answer.text);
      throw new InvokeError(target, answer.reason);
    },
  };
}
