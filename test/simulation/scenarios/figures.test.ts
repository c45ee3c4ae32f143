import { expect, it } from 'vitest';
import { plain, story } from './story.ts';

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
