import { expect, it } from 'vitest';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import { at, plain, story } from './story.ts';

it('the figures of committed epochs add up to the input, and a backlog is seen while it lasts', async () => {
  const input = Array.from({ length: 12 }, (_, index) => plain(index * 10, index % 2, `ant #${index}`));
  // Little enough in an epoch that there are several.
  const told = await story([], { input, fetchBytes: 100, settings: { maxEpochBytes: 200 } });
  const figures = told.observed.flatMap((event) => (event.event === 'committed' ? [event.figures] : []));
  expect(figures.length).toBeGreaterThan(1);
  expect(figures.reduce((sum, { recordsIn }) => sum + recordsIn, 0)).toBe(12);
  expect(Math.max(...figures.map(({ recordsBehind }) => recordsBehind))).toBeGreaterThan(0);
  expect(figures.at(-1)?.recordsBehind).toBe(0);
  for (const { epochMs, sourceMs = 0, operatorMs = 0, sinkMs = 0, decisionMs } of figures) {
    expect(Math.min(sourceMs, operatorMs, sinkMs, decisionMs)).toBeGreaterThan(0);
    expect(epochMs).toBeGreaterThanOrEqual(sourceMs + operatorMs + sinkMs + decisionMs);
  }
  expect(figures.every(({ stateBytes }) => stateBytes > 0)).toBe(true);
});

it('the row of an epoch says how many attempts it took', async () => {
  let world: World | undefined;
  const prepare = (made: World) => {
    world = made;
  };
  await story([{ at: at('invoke process', { about: /epoch 2$/ }), times: 2, fault: { fault: 'lose', what: 'request' } }], {
    settings: { retainedCheckpoints: 20 },
    prepare,
  });
  const rows = world?.table.epochs.after(JOB, world.table.row(JOB)?.incarnation ?? '', -1) ?? [];
  expect(rows.slice(0, 3).map(({ epoch, summary }) => [epoch, summary.attempts])).toEqual([
    [0, 1],
    [1, 1],
    [2, 3],
  ]);
});
