import { expect, it } from 'vitest';
import type { Keeper, KeptProcess } from '../../../local/stack/kept-process.ts';
import { startService } from '../../../local/stack/service.ts';

/** A server that takes so long to end in order; the signals that it got. */
async function serverThatEndsIn(endsAfterMs: number) {
  const signals: string[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const process: KeptProcess = {
    pid: 1,
    logFile: 'log',
    ended,
    signal(signal) {
      signals.push(signal);
      if (signal === 'SIGKILL') resolve(signal);
      else setTimeout(() => resolve('0'), endsAfterMs);
    },
    logTail: () => '',
  };
  const keeper = { start: async () => process } as unknown as Keeper;
  const service = await startService(keeper, { name: 'server', command: '', args: [], env: {} }, async () => true);
  return { service, signals };
}

it('a server that ends in the time that it is given is left to it, and killed when it does not', async () => {
  const slow = await serverThatEndsIn(200);
  await slow.service.end(10_000);
  expect(slow.signals).toEqual(['SIGTERM']);
  const never = await serverThatEndsIn(60_000);
  await never.service.end(50);
  expect(never.signals).toEqual(['SIGTERM', 'SIGKILL']);
});
