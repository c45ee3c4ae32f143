/** In the process of a trial, before each test file: notes which probes each test meets. */
import { afterEach, beforeAll } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    reached?: number[];
    loaded?: number[];
  }
  interface ProvidedContext {
    seeds: number[];
  }
}

const shared = globalThis as { __reach?: (point: number) => void; met?: Set<number>; loaded?: Set<number> };
shared.met ??= new Set();
shared.loaded ??= new Set();
const { met, loaded } = shared;
shared.__reach = (point) => {
  met.add(point);
};

beforeAll(() => {
  for (const point of met) loaded.add(point);
  met.clear();
});

afterEach(({ task }) => {
  task.meta.reached = [...met];
  task.meta.loaded = [...loaded];
  met.clear();
  loaded.clear();
});
