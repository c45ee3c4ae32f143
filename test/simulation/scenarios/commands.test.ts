import { describe, expect, it } from 'vitest';
import type { Call } from '../kernel/faults.ts';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import type { Outcome } from '../world-options.ts';
import { at, ends, plain, story } from './story.ts';

const decideOf = (epoch: number, nth = 1) => at('decide', { about: new RegExp(`^epoch ${epoch} `), nth });
const commitOf = (epoch: number) => at('invoke commit', { about: new RegExp(`epoch ${epoch}$`) });
const outcomes = (told: Outcome) => told.commands.map(({ outcome }) => outcome);
const text = (told: Outcome) => told.history.join('\n');
/** Six epochs, so that there is something to do before and after. */
const input = Array.from({ length: 8 }, (_, index) => plain(index * 900, index % 2, `ant bee #${index}`));
const long = { leftAloneMs: [15_000, 15_000] as const, input };
const short = { leftAloneMs: [300, 300] as const, input };
const many = Array.from({ length: 24 }, (_, index) => plain(index * 900, index % 2, `ant bee #${index}`));
/** Long enough for the command to be done. */
const anew = { leftAloneMs: [7_000, 7_000] as const, input: many, faultsUntilMs: 40_000 };

describe('a job that a command brings to rest', () => {
  it('after its coordinator died behind a decision has the decided epoch committed, by the command', async () => {
    const told = await story(
      [{ at: commitOf(2), also: (world) => world.startCommand('stop'), fault: { fault: 'crash', when: 'before' } }],
      long,
    );
    expect(outcomes(told)).toEqual(['stopped']);
    expect(text(told)).toMatch(/command#1 +commit job-\w+-write-0-0 .* → NONE/);
    expect(text(told)).toMatch(/command#1 +\* epoch 2 was decided: committed it\n/);
  });

  it('after its coordinator died has what was prepared and not decided aborted, so that readers need not wait', async () => {
    const told = await story(
      [{ at: decideOf(2), also: (world) => world.startCommand('stop'), fault: { fault: 'crash', when: 'before' } }],
      long,
    );
    expect(outcomes(told)).toEqual(['stopped']);
    expect(text(told)).not.toMatch(/command#1 +commit /);
  });

  it('has a transaction that was lost published again by the command, once', async () => {
    const fence = (world: World) => {
      const open = world.broker.transactions.all().find(({ state }) => state === 'ongoing');
      if (open !== undefined) world.broker.transactions.initProducerId(open.id, 25_000);
      world.startCommand('stop');
    };
    const told = await story([{ at: commitOf(2), also: fence, fault: { fault: 'crash', when: 'before' } }], long);
    expect(outcomes(told)).toEqual(['stopped']);
    expect(text(told)).toMatch(/epoch 2 was decided: committed it; 1 of its transactions had been lost and were published again/);
  });

  it.each(['decide', 'invoke commit', 'recordCommitted', 'invoke prepare', 'retireThrough', 'list'])(
    'while its coordinator stands still before "%s" is left alone by it when it wakes',
    async (api) => {
      for (const forMs of [20, 300, 1_500, 12_000]) {
        const told = await story([{ at: at(api, { role: 'coordinator' }), fault: { fault: 'command', run: 'cancel', forMs } }], {
          ...long,
          input: many,
        });
        expect(outcomes(told)).toEqual(['cancelled']);
        expect(ends(told)).toContain('superseded');
      }
    },
  );

  it('whose sink topic was deleted behind a decision is not told to make a topic, but that its output cannot be told of', async () => {
    let failure: string | undefined;
    const watch = (world: World) => {
      failure ??= world.table.row(JOB)?.failure;
      if (failure === undefined) world.scheduler.after(50, undefined, () => watch(world));
      else world.broker.catalog.create('output', 1);
    };
    const topicGone = (world: World) => {
      world.broker.catalog.delete('output');
      world.startCommand('cancel');
      watch(world);
    };
    const told = await story([{ at: commitOf(2), also: topicGone, fault: { fault: 'crash', when: 'before' } }], long);
    expect(outcomes(told)).toEqual(['JobFailedError']);
    expect(failure).toMatch(
      /^epoch 2 is decided, and no broker knows its topic output any more: .* ONCEFLOW_ON_MISSING_EVIDENCE=committed/,
    );
  });

  it.each(['cancel', 'delete'] as const)(
    'has nothing open after "%s", also when the broker forgets the end of what a function of its coordinator began meanwhile',
    async (command) => {
      let isForgotten = false;
      const forgets = (world: World, { about }: Call) => {
        world.broker.transactions.forgetEndsOf(about.split(' ')[0] ?? '');
        isForgotten = true;
      };
      const plans = at('offsets', { role: 'coordinator' });
      const told = await story(
        [
          {
            at: at('invoke prepare', { about: /epoch 2$/ }),
            also: (world) => world.startCommand(command),
            fault: { fault: 'slow', byMs: 300 },
          },
          { at: at('produce', { about: /-write-0-0 / }), fault: { fault: 'lose', what: 'answer' } },
          { at: at('abort', { about: /-write-0-0 / }), also: forgets },
          { at: (call) => isForgotten && plans(call), fault: { fault: 'crash', when: 'before' } },
        ],
        anew,
      );
      expect(outcomes(told)).toEqual([command === 'delete' ? 'deleted' : 'cancelled']);
      expect(text(told)).toMatch(/command#1 +abort job-\w+-write-0-0 .* → NONE/);
    },
  );

  it('has nothing open after "stop", also when its coordinator could not end what a broker had forgotten to', async () => {
    let isForgotten = false;
    const forgets = (world: World, { about }: Call) => {
      world.broker.transactions.forgetEndsOf(about.split(' ')[0] ?? '');
      isForgotten = true;
    };
    const plans = at('offsets', { role: 'coordinator' });
    const told = await story(
      [
        { at: at('invoke prepare', { about: /epoch 2$/ }), also: (world) => world.startCommand('stop') },
        { at: at('produce', { about: /-write-0-0 / }), fault: { fault: 'lose', what: 'answer' } },
        { at: at('abort', { about: /-write-0-0 / }), also: forgets },
        // It gives up its lease when it has not reached the broker for ten seconds, and there is nothing to commit.
        { at: (call) => isForgotten && plans(call), fault: { fault: 'partition', forMs: 30_000 } },
      ],
      anew,
    );
    expect(ends(told)[0]).toBe('handed-over');
    expect(outcomes(told)).toEqual(['stopped']);
    expect(text(told)).toMatch(/command#1 +abort job-\w+-write-0-0 .* → NONE/);
  });

  it('by a command that dies in the middle is brought to rest by the next', async () => {
    for (const api of ['commit', 'recordCommitted', 'initProducerId', 'releaseLease']) {
      const told = await story(
        [
          { at: commitOf(2), also: (world) => world.startCommand('stop'), fault: { fault: 'crash', when: 'before' } },
          {
            at: at(api, { role: 'command' }),
            also: (world) => world.scheduler.after(500, undefined, () => world.startCommand('cancel')),
            fault: { fault: 'crash', when: 'before' },
          },
        ],
        long,
      );
      expect(outcomes(told)).toEqual(['cancelled']);
    }
  });

  it('by a command that sleeps until the job was started again is not disturbed by it', async () => {
    for (const api of ['commit', 'recordCommitted', 'initProducerId', 'describeTransactions', 'releaseLease']) {
      const told = await story(
        [
          { at: commitOf(2), also: (world) => world.startCommand('cancel'), fault: { fault: 'crash', when: 'before' } },
          { at: at(api, { role: 'command' }), fault: { fault: 'freeze', when: 'before', forMs: 9_000 } },
        ],
        short,
      );
      expect(outcomes(told)).toHaveLength(1);
      expect(outcomes(told)).not.toContain('cancelled');
    }
  });
});

describe('what a person asks for last counts', () => {
  /** Nobody but a schedule starts it again. */
  const scheduled = { leftAloneMs: [90_000, 90_000], input: many, watch: { how: 'revival', everyMs: 2_000, standby: 'none' } } as const;
  const resume = (world: World) => void world.table.setDesired(JOB, 'running');
  const revivals = (told: Outcome) => told.history.filter((line) => /coordinator#\d+ +reviveGeneration/.test(line)).length;

  it('that a job runs on, which was stopping and has just settled', async () => {
    const told = await story(
      [
        { at: decideOf(3), also: (world) => world.startCommand('stop') },
        { at: at('releaseLease', { role: 'coordinator' }), also: resume },
      ],
      scheduled,
    );
    expect(outcomes(told)).toEqual(['started-again']);
    expect(revivals(told)).toBe(1);
  });

  it.each(['stop', 'cancel'] as const)('that a job runs on, which "%s" has just brought to rest', async (command) => {
    const told = await story(
      [
        { at: commitOf(2), also: (world) => world.startCommand(command), fault: { fault: 'crash', when: 'before' } },
        { at: at('releaseLease', { role: 'command' }), also: resume },
      ],
      scheduled,
    );
    expect(outcomes(told)).toEqual(['started-again']);
    expect(revivals(told)).toBe(1);
  });

  it('that a job runs on, which a command is about to delete, with all that it has', async () => {
    const told = await story(
      [
        { at: commitOf(2), also: (world) => world.startCommand('delete'), fault: { fault: 'crash', when: 'before' } },
        { at: at('forgetEpochs', { role: 'command' }), also: resume },
      ],
      scheduled,
    );
    expect(outcomes(told)).toEqual(['started-again']);
    expect(revivals(told)).toBe(1);
    expect(text(told)).not.toMatch(/deleteEpochs/);
  });

  it.each(['stop', 'cancel'] as const)('that a job runs on, which "%s" is about to take', async (command) => {
    const told = await story(
      [
        { at: commitOf(2), also: (world) => world.startCommand(command), fault: { fault: 'crash', when: 'before' } },
        { at: at('reviveGeneration', { role: 'command' }), also: resume },
      ],
      scheduled,
    );
    expect(outcomes(told)).toEqual(['started-again']);
    expect(text(told)).not.toMatch(/command#1 +\* took job/);
    expect(revivals(told)).toBe(1);
  });

  it('that a job stops, which a schedule is about to start again', async () => {
    const told = await story(
      [
        { at: commitOf(2), fault: { fault: 'crash', when: 'before' } },
        { at: at('reviveGeneration', { role: 'coordinator' }), also: (world) => void world.table.setDesired(JOB, 'stopped') },
      ],
      { ...scheduled, leftAloneMs: [300, 300] },
    );
    expect(told.ends).toContainEqual({ end: 'refused', message: expect.stringContaining('was asked to stop') });
    // Who takes the generation in the end is no revival.
    const taken = told.observed.flatMap((event) => (event.event === 'lease-taken' ? [event.generation] : []));
    expect(taken).toEqual([1, 2]);
    expect(text(told)).toMatch(/raiseGeneration job from 1 by/);
  });

  it('of two that bring it to rest: the one from whom the other has taken it waits for that one', async () => {
    const told = await story(
      [
        { at: commitOf(2), also: (world) => world.startCommand('stop'), fault: { fault: 'crash', when: 'before' } },
        {
          at: at('recordCommitted', { role: 'command' }),
          also: (world) => world.startCommand('cancel'),
          fault: { fault: 'freeze', when: 'before', forMs: 1_000 },
        },
      ],
      long,
    );
    expect(outcomes(told)).toEqual(['cancelled', 'stopped']);
  });
});

describe('a job that was deleted and is started again under its name', () => {
  it('begins anew, and readers see its second output behind the first', async () => {
    const told = await story([{ at: decideOf(3), fault: { fault: 'command', run: 'delete', forMs: 0 } }], long);
    expect(outcomes(told)).toEqual(['deleted']);
    expect(told.lives).toBe(2);
    expect(told.observed.filter(({ event }) => event === 'starting-offsets')).toHaveLength(2);
  });

  it.each(['decide', 'invoke commit', 'recordCommitted', 'invoke prepare', 'invoke process', 'retireThrough', 'list', 'readJob'])(
    'is not touched by a coordinator of its first life that stood still before "%s", though both hold the same generation',
    async (api) => {
      const told = await story(
        [
          {
            at: at(api, { role: 'coordinator', nth: api === 'decide' || api === 'readJob' ? 2 : 1 }),
            fault: { fault: 'command', run: 'delete', forMs: 13_000 },
          },
        ],
        { ...anew, leftAloneMs: [9_000, 9_000] },
      );
      expect(outcomes(told)).toEqual(['deleted']);
      expect(told.lives).toBe(2);
      expect(told.observed.flatMap((event) => (event.event === 'lease-taken' ? [event.generation] : [])).slice(0, 2)).toEqual([1, 1]);
      expect(ends(told)[0]).toBe('superseded');
      // Whoever holds the job that was made anew has taken nothing over.
      expect(told.ends[0]?.message).not.toMatch(/from this one/);
    },
  );

  it.each([12_000, 40_000])(
    'is not touched by a cancel of its first life that wakes before or after it was made anew (left alone for %i ms)',
    async (ms) => {
      const told = await story(
        [
          { at: decideOf(3), also: (world) => world.startCommand('cancel') },
          {
            at: at('reviveGeneration', { role: 'command' }),
            also: (world) => world.scheduler.after(500, undefined, () => world.startCommand('delete')),
            fault: { fault: 'freeze', when: 'before', forMs: 25_000 },
          },
        ],
        { ...anew, leftAloneMs: [ms, ms] },
      );
      expect(outcomes(told)).toEqual(['deleted', ms < 25_000 ? 'started-again' : 'exit code 3']);
      expect(told.lives).toBe(2);
      // Both lives begin with generation 1.
      expect(text(told)).not.toMatch(/command#1 +\* took job/);
    },
  );

  it.each(['cancel', 'stop', 'delete'] as const)('goes on when a "%s" that was for its first life wakes', async (command) => {
    const told = await story(
      [
        { at: decideOf(3), also: (world) => world.startCommand(command) },
        {
          at: at('setDesired', { role: 'command' }),
          also: (world) => world.scheduler.after(500, undefined, () => world.startCommand('delete')),
          fault: { fault: 'freeze', when: 'before', forMs: 25_000 },
        },
      ],
      { ...anew, leftAloneMs: [12_000, 12_000] },
    );
    expect(outcomes(told)).toEqual(['deleted', 'started-again']);
    expect(told.lives).toBe(2);
    expect(ends(told)).toEqual(['superseded', 'stopped']);
  });

  it("is not touched by a sink attempt of its first life that wakes later, under ids that are not the job's any more", async () => {
    const told = await story(
      [
        { at: at('initProducerId', { role: 'sink', about: /-write-0-0$/ }), fault: { fault: 'freeze', when: 'before', forMs: 30_000 } },
        { at: at('invoke prepare', { about: /epoch 2$/ }), fault: { fault: 'command', run: 'delete', forMs: 0 } },
      ],
      anew,
    );
    expect(told.lives).toBe(2);
    expect(text(told)).toMatch(/sink-write#1 +initProducerId job-\w+-write-0-0 → .*NONE/);
  });

  it('loses no transaction to a zombie of its first life that fences its own: their ids are not the same', async () => {
    let first = '';
    const remembers = (_world: World, { about }: Call) => {
      first = about;
    };
    const told = await story(
      [
        { at: at('initProducerId', { role: 'sink', about: /-write-0-1$/ }), also: remembers },
        { at: decideOf(3), fault: { fault: 'command', run: 'delete', forMs: 0 } },
        {
          at: at('decide', { by: 'coordinator#2', about: /^epoch 3 / }),
          also: (world) => void world.broker.transactions.initProducerId(first, 25_000),
        },
      ],
      anew,
    );
    expect(told.lives).toBe(2);
    expect(told.observed.filter(({ event }) => event === 'doubtful')).toEqual([]);
  });

  it('by a command that died on the way starts anew all the same', async () => {
    for (const [api, when] of [
      ['forgetEpochs', 'before'],
      ['forgetEpochs', 'after'],
      ['list', 'after'],
      ['deleteEpochs', 'after'],
      ['deleteJob', 'before'],
    ] as const) {
      const told = await story(
        [
          { at: decideOf(3), fault: { fault: 'command', run: 'delete', forMs: 0 } },
          { at: at(api, { role: 'command' }), fault: { fault: 'crash', when } },
        ],
        anew,
      );
      expect(told.lives, `${when} ${api}`).toBe(api === 'forgetEpochs' && when === 'before' ? 1 : 2);
    }
  });

  it('in the end, while another start is on its way, begins anew and has all its input read', async () => {
    const deletes = (world: World) => {
      world.startCommand('delete');
      world.scheduler.after(500, undefined, () => world.startCoordinator());
    };
    const told = await story(
      [
        { at: at('recordCommitted', { about: /^epoch 1$/ }), also: deletes },
        // It was started before the job was deleted, and looks for the job long after.
        { at: at('readJob', { by: 'coordinator#2' }), fault: { fault: 'freeze', when: 'before', forMs: 40_000 } },
      ],
      { leftAloneMs: [300, 300], input: [plain(0, 0, 'ant bee #0')], faultsUntilMs: 3_000 },
    );
    expect(outcomes(told)).toEqual(['deleted']);
    expect(told.lives).toBe(2);
    expect(text(told)).toMatch(/no more faults\n.*\* ended: deleted\n.*createJob job → created\n.*caught up: the job is stopped\n/s);
  });

  it.each(['forgetEpochs', 'list', 'delete', 'listIncarnations', 'deleteEpochs', 'deleteJob'])(
    'keeps its blobs and its epochs when a command that slept before "%s" goes on deleting the first life',
    async (api) => {
      const told = await story(
        [
          { at: decideOf(3), fault: { fault: 'command', run: 'delete', forMs: 0 } },
          {
            at: at(api, { role: 'command' }),
            also: (world) => world.scheduler.after(500, undefined, () => world.startCommand('delete')),
            fault: { fault: 'freeze', when: 'before', forMs: 12_000 },
          },
        ],
        anew,
      );
      expect(told.commands[0]).toEqual({ command: 'delete', outcome: 'deleted' });
      expect(told.lives).toBe(2);
    },
  );

  it('is not deleted by a command that slept, though the generation that it took is held again by another', async () => {
    const told = await story(
      [
        { at: decideOf(3), fault: { fault: 'command', run: 'delete', forMs: 0 } },
        {
          at: at('describeTransactions', { role: 'command' }),
          also: (world) => world.scheduler.after(500, undefined, () => world.startCommand('delete')),
          fault: { fault: 'freeze', when: 'before', forMs: 12_000 },
        },
        // The first command took generation 2; in the second life the first coordinator's successor has it.
        { at: at('decide', { by: 'coordinator#2', about: /^epoch 2 / }), fault: { fault: 'crash', when: 'after' } },
      ],
      anew,
    );
    expect(outcomes(told)).toEqual(['deleted', 'started-again']);
    expect(told.lives).toBe(2);
  });
});
