import type { Violation } from './checker/checker.ts';
import { drawWorld } from './draw.ts';
import { World } from './world.ts';
import type { Outcome, WorldOptions } from './world-options.ts';

/** Runs one world to its end. */
export async function runWorld(options: WorldOptions): Promise<Outcome> {
  const unhandled: Violation[] = [];
  const take = (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    unhandled.push({ invariant: 'I6', message: `a promise was rejected and nobody handled it, which ends a real process: ${text}` });
  };
  process.on('unhandledRejection', take);
  try {
    const outcome = await new World(options).run();
    // Node tells of unhandled rejections when no tick is left.
    await new Promise((resolve) => setImmediate(resolve));
    return { ...outcome, violations: [...outcome.violations, ...unhandled] };
  } finally {
    process.off('unhandledRejection', take);
  }
}

/** Runs what a seed stands for. */
export function runSeed(seed: number, change: Partial<WorldOptions> = {}): Promise<Outcome> {
  return runWorld(drawWorld(seed, change));
}
