import { expect, it } from 'vitest';
import { drawWorld } from './draw.ts';
import { reportOf } from './report.ts';
import { runWorld } from './run.ts';
import { shrink } from './shrink.ts';
import type { World } from './world.ts';

/** A fault of the engine's, put on: every crash of a coordinator is one. */
function crashesAreForbidden(world: World): void {
  const look = () => {
    const crashed = world.network.injected.some(({ call, fault }) => fault.fault === 'crash' && call.caller.role === 'coordinator');
    if (crashed) world.checker.fail('I2', 'a coordinator crashed');
    else if (world.scheduler.nowMs < 30_000) world.scheduler.after(100, undefined, look);
  };
  look();
}

/** The first seed with a crash of a coordinator among more than three faults, that would happen without the others too. */
async function firstFailing() {
  for (let seed = 1; seed <= 200; seed++) {
    const options = { ...drawWorld(seed), prepare: crashesAreForbidden };
    const failed = await runWorld(options);
    const crash = failed.injected.find(({ call, fault }) => fault.fault === 'crash' && call.caller.role === 'coordinator');
    if (crash === undefined || failed.violations.length === 0 || failed.injected.length <= 3) continue;
    const alone = await runWorld({ ...options, faults: ({ id }) => (id === crash.call.id ? crash.fault : undefined) });
    if (alone.violations.length > 0) return { seed, options, failed };
  }
  throw new Error('no seed of 200 crashes a coordinator among more than three faults');
}

it('a failing history is shrunk to the faults that make it fail, and told with its seed', async () => {
  const { seed, options, failed } = await firstFailing();
  const smaller = await shrink(options, failed);
  expect(smaller.injected.map(({ fault }) => fault.fault)).toEqual(['crash']);
  const report = reportOf(smaller, { faults: failed.injected.length, lines: failed.history.length });
  expect(report).toContain(`seed ${seed} violates I2 (shrunk from ${failed.injected.length} faults`);
  expect(report).toMatch(/1 faults:\n {2}crash (before|after): coordinator#1 /);
  expect(report).toMatch(/\n +\d+\.\d{4} {2}coordinator#1 +\S/);
  expect(report).toContain(`npm run simulate -- --seed ${seed}`);
});

it('a history that does not fail again is told as it was', async () => {
  const options = drawWorld(2);
  const outcome = await runWorld(options);
  const claimed = { ...outcome, violations: [{ invariant: 'I1' as const, message: 'something that the faults did not cause' }] };
  expect(await shrink(options, claimed)).toBe(claimed);
});
