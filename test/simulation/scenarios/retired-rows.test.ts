import { expect, it } from 'vitest';
import type { Fault } from '../kernel/faults.ts';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import { at, plain, story } from './story.ts';

const input = Array.from({ length: 40 }, (_, index) => plain(index * 700, index % 2, `ant #${index}`));

/** Epochs that are retired in the end, and those of them whose rows stay for ever. */
async function retired(fault: Fault) {
  let world: World | undefined;
  const rule = {
    at: at('expireEpoch', { nth: 4 }),
    fault,
    also: (its: World) => {
      world = its;
    },
  };
  // Two more collections follow.
  await story([rule], { input, settings: { checkpointIntervalMs: 500, retainedCheckpoints: 1 }, faultsUntilMs: 40_000, ending: 'wait' });
  const row = world?.table.row(JOB);
  const rows = world?.table.epochs.after(JOB, row?.incarnation ?? '', -1) ?? [];
  const behind = rows.filter(({ epoch }) => epoch <= (row?.retiredThrough ?? -1));
  return { count: behind.length, stay: behind.filter(({ expiresAtMs }) => expiresAtMs === undefined).map(({ epoch }) => epoch) };
}

it.each<[string, Fault]>([
  ['its coordinator dies', { fault: 'crash', when: 'before' }],
  ['the table fails', { fault: 'outage', forMs: 2_000 }],
])('every row of a retired epoch goes in the end, also when %s between retiring and expiring', async (_what, fault) => {
  const { count, stay } = await retired(fault);
  expect(count).toBeGreaterThan(20);
  expect(stay).toEqual([]);
});
