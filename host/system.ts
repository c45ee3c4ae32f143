import { randomBytes } from 'node:crypto';
import type { Clock, Random } from '../lib/ports/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => Math.floor(performance.now()),
  sleep: (ms, signal) =>
    new Promise((resolvePromise) => {
      if (signal?.aborted === true) return resolvePromise();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolvePromise();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

export const systemRandom: Random = {
  id: () => randomBytes(16).toString('hex'),
  fraction: () => Math.random(),
};
