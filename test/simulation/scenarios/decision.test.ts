import { describe, expect, it } from 'vitest';
import { at, ends, failedAttempts, plain, resolutions, story } from './story.ts';

const decideOf = (epoch: number, nth = 1) => at('decide', { about: new RegExp(`^epoch ${epoch} `), nth });

describe('a start that takes over, and is slow with its checks,', () => {
  it('does not take a job that went on meanwhile for one whose table was set back', async () => {
    const told = await story([
      { at: at('decide', { nth: 2 }), fault: { fault: 'rival' } },
      { at: at('groupOffsets', { by: 'coordinator#2' }), fault: { fault: 'freeze', when: 'before', forMs: 2_500 } },
    ]);
    expect(ends(told)).toEqual(['superseded', 'stopped']);
  });
});

describe('around the decision', () => {
  it('a coordinator that crashes before it decides leaves nothing that a reader sees', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'crash', when: 'before' } }]);
    expect(resolutions(told)).toEqual([]);
  });

  it('a coordinator that crashes when its decision was made has its epoch committed by the next', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'crash', when: 'after' } }]);
    expect(told.observed.filter(({ event }) => event === 'decided')).toHaveLength(3);
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'recovered', epoch: 2, committed: 1, republished: 0 }));
  });

  it('a decision whose answer is lost is repeated, and made once', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'lose', what: 'answer' } }]);
    expect(failedAttempts(told)).toBe(0);
  });

  it('a decision that never arrived is repeated until it does', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'lose', what: 'request' }, times: 5 }]);
    expect(failedAttempts(told)).toBe(0);
  });

  it('a decision that arrives twice, the first late, is made once', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'late', byMs: 4_000 } }]);
    expect(failedAttempts(told)).toBe(0);
  });

  it('a decision that arrives after a successor has taken over is refused', async () => {
    const told = await story([
      { at: decideOf(2), fault: { fault: 'late', byMs: 6_000 } },
      { at: decideOf(2), fault: { fault: 'crash', when: 'before' } },
    ]);
    expect(told.history.join('\n')).toMatch(/carries out late: coordinator#1 decide/);
  });

  it('a repeated decision that is refused because it was made is found in the job row', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'lose', what: 'answer' } }], { tokenLifetimeMs: 1 });
    expect(told.history.join('\n')).toMatch(/decide epoch 2 .* → refused/);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('a table that fails for half a minute holds the job up and changes nothing', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'outage', forMs: 30_000 } }]);
    expect(ends(told)).toEqual(expect.arrayContaining(['stopped']));
  });

  it('a crash before epoch 1 does not move the starting offsets: what came in between is read', async () => {
    const input = [plain(0, 0, 'ant #0'), plain(300, 1, 'bee #1'), plain(2_000, 0, 'ant #2')];
    const told = await story([{ at: at('invoke read'), fault: { fault: 'crash', when: 'before' } }], { startingOffsets: 'latest', input });
    expect(told.observed.filter(({ event }) => event === 'starting-offsets')).toHaveLength(1);
  });

  it('a job says that it has recovered when it is decided where it reads from, so that whoever writes then is read', async () => {
    const told = await story([{ at: decideOf(0), fault: { fault: 'late', byMs: 400 } }], { startingOffsets: 'latest' });
    const events = told.observed.map(({ event }) => event);
    expect(events.filter((event) => event === 'starting-offsets' || event === 'recovered')).toEqual(['starting-offsets', 'recovered']);
  });

  it('a crash while the starting offsets are decided resolves them once more, before anything was read', async () => {
    await story([{ at: decideOf(0), fault: { fault: 'crash', when: 'before' } }], { startingOffsets: 'latest' });
    await story([{ at: decideOf(0), fault: { fault: 'crash', when: 'after' } }], { startingOffsets: 'latest' });
  });
});

describe('coordinators', () => {
  it('that start at once end with one, and the others stop without a trace', async () => {
    const told = await story([{ at: at('invoke read', { nth: 2 }), fault: { fault: 'rival' } }]);
    expect(ends(told)).toContain('superseded');
  });

  it('that were frozen before their decision wake up, find the next generation and stop', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'freeze', when: 'before', forMs: 15_000 } }]);
    expect(ends(told)).toContain('superseded');
  });

  it('that were frozen before they told the sink to commit find it done, and stop', async () => {
    const told = await story([
      { at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'freeze', when: 'before', forMs: 16_000 } },
    ]);
    expect(ends(told)).toContain('superseded');
  });

  it('that were frozen while they collect garbage delete nothing that is needed', async () => {
    const input = Array.from({ length: 30 }, (_, index) => plain(index * 600, index % 2, `ant bee #${index}`));
    for (const api of ['listEpochs', 'retireThrough', 'list', 'delete']) {
      await story([{ at: at(api), fault: { fault: 'depose', forMs: 3_000 } }], {
        input,
        faultsUntilMs: 40_000,
        settings: { retainedCheckpoints: 1 },
      });
    }
  });

  it('that hand over leave nothing open, and the next goes on', async () => {
    const told = await story([{ at: at('invoke process', { nth: 2 }), fault: { fault: 'hand-over' } }]);
    expect(ends(told)).toEqual(['handed-over', 'stopped']);
  });

  it('that hand over are succeeded by the tick that waits for their end', async () => {
    const told = await story([{ at: at('invoke process', { nth: 2 }), fault: { fault: 'hand-over' } }], {
      watch: { how: 'revival', everyMs: 2_000, standby: 'keep' },
      ending: 'wait',
    });
    expect(ends(told).slice(0, 1)).toEqual(['handed-over']);
    const events = told.observed.map(({ event }) => event);
    expect(events.lastIndexOf('lease-taken')).toBeGreaterThan(events.indexOf('stands-by'));
    expect(told.observed.filter(({ event }) => event === 'takes-over')).toEqual([]);
  });

  it('that crash are succeeded by a tick when the lease has run out, and not before', async () => {
    const told = await story([{ at: decideOf(2), fault: { fault: 'crash', when: 'before' } }], {
      watch: { how: 'revival', everyMs: 1_000, standby: 'none' },
    });
    const taken = told.history.filter((line) => line.includes('"lease-taken"')).map((line) => Number(line.trim().split(/\s/)[0]));
    expect(taken).toHaveLength(2);
    expect((taken[1] ?? 0) - (taken[0] ?? 0)).toBeGreaterThan(8);
  });

  it('that have no input for ONCEFLOW_IDLE_EXIT_MS end, and the next tick finds what came', async () => {
    const told = await story([], {
      input: [plain(0, 0, 'ant #0'), plain(9_000, 0, 'ant #1')],
      settings: { idleExitMs: 1_000 },
      watch: { how: 'revival', everyMs: 4_000, standby: 'none' },
    });
    expect(told.ends.filter(({ message }) => message.includes('has no input')).length).toBeGreaterThanOrEqual(2);
    expect(told.observed.filter(({ event }) => event === 'decided')).toHaveLength(2);
  });

  it('that hand over while Kafka is away leave the settling to the next', async () => {
    const told = await story([
      { at: at('invoke process', { nth: 2 }), fault: { fault: 'hand-over' } },
      { at: at('initProducerId', { role: 'coordinator', nth: 3 }), fault: { fault: 'outage', forMs: 60_000 } },
    ]);
    expect(ends(told)).toEqual(['handed-over', 'stopped']);
    expect(told.observed).toContainEqual(
      expect.objectContaining({ event: 'ended', end: 'handed-over', message: expect.stringContaining('could not be settled') }),
    );
  });

  it('that are superseded while they settle are told so', async () => {
    const told = await story([
      { at: at('invoke process', { nth: 2 }), fault: { fault: 'hand-over' } },
      {
        at: at('initProducerId', { role: 'coordinator', nth: 3 }),
        also: (world) => world.startCoordinator(),
        fault: { fault: 'slow', byMs: 8_000 },
      },
    ]);
    expect(ends(told)).toEqual(['superseded', 'stopped']);
  });

  it('cut off from the table do not decide, and are succeeded', async () => {
    await story([{ at: decideOf(2), fault: { fault: 'partition', forMs: 18_000 } }]);
  });

  it('of the old build give up their lease when functions are updated', async () => {
    const told = await story([
      { at: at('invoke process', { nth: 2 }), fault: { fault: 'update' } },
      { at: at('invoke process', { nth: 3 }), fault: { fault: 'cold' } },
      { at: at('invoke read', { nth: 4 }), fault: { fault: 'cold' } },
    ]);
    expect(told.observed.some((event) => event.event === 'attempt-failed' && event.kind === 'stale')).toBe(true);
    const gaveWay = told.observed.filter((event) => event.event === 'ended' && event.message.includes('may be the old one'));
    expect(gaveWay).not.toHaveLength(0);
    expect(gaveWay.every((event) => event.event === 'ended' && event.end === 'handed-over')).toBe(true);
  });

  it('of a new build have the old functions commit and resolve', async () => {
    const told = await story([
      { at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'update' } },
      { at: at('commit', { about: /-write-0-0 / }), fault: { fault: 'crash', when: 'before' } },
    ]);
    expect(ends(told).at(-1)).toBe('stopped');
  });
});
