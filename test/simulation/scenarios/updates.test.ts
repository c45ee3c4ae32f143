import { describe, expect, it } from 'vitest';
import { JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import type { Outcome } from '../world-options.ts';
import { at, ends, jobNamed, plain, resolutions, story } from './story.ts';

const text = (told: Outcome) => told.history.join('\n');
const startingOffsets = (told: Outcome) => told.observed.flatMap((event) => (event.event === 'starting-offsets' ? [event] : []));
const input = Array.from({ length: 8 }, (_, index) => plain(index * 700, index % 2, `ant bee #${index}`));
const commitOf3 = (nth = 1) => at('invoke commit', { about: /epoch 3$/, nth });

describe('an update after which transactions are named by another rule', () => {
  // Build b, which starts at once, gives epoch 3 the id that build a would have given to epochs 2 and 4.
  const fromB = { updateAtMs: 10, input };
  const back = {
    at: commitOf3(),
    also: (world: { build: 'a' | 'b' }) => {
      world.build = 'a';
    },
    fault: { fault: 'crash', when: 'before' },
  } as const;

  it('commits what was prepared before it under the name in the committable, and publishes nothing again', async () => {
    const told = await story([back, { at: commitOf3(2), fault: { fault: 'cold' } }], fromB);
    expect(resolutions(told)).toEqual([]);
    expect(text(told)).toMatch(/invoke prepare write 0 epoch 3 → .*-write-0-0"/);
    expect(text(told)).toMatch(/sink-write#\d+ +commit job-\w+-write-0-0 .* → NONE/);
  });

  it('resolves what was lost under that name too', async () => {
    const fence = { at: at('commit', { about: /-write-0-0 /, nth: 2 }), fault: { fault: 'slow', byMs: 50 } } as const;
    const told = await story(
      [
        back,
        {
          ...fence,
          also: (world, call) => {
            world.scheduler.after(0, undefined, () => world.broker.transactions.initProducerId(call.about.split(' ')[0] ?? '', 25_000));
          },
        },
      ],
      fromB,
    );
    expect(resolutions(told)).toEqual(['republished']);
    expect(ends(told).at(-1)).toBe('stopped');
  });
});

describe('an update that adds a source', () => {
  const job = jobNamed('growing');
  const both = [...input, ...input.map((batch, index) => ({ ...batch, topic: 'later-input', lines: [`cow cat #${20 + index}`] }))];
  const growing = { job, input: both, updateAtMs: 2_700 };

  it('reads it from its starting offsets, and the others from where they were', async () => {
    const told = await story([], growing);
    const [first, second] = startingOffsets(told);
    expect(first?.offsets).toEqual({ read: { input: [0, 0] } });
    expect(second?.offsets).toEqual({ read: { input: [2, 2] }, 'read-later': { 'later-input': [0, 0] } });
  });

  it('that is to begin at the end does so once: what comes after is read, though the first to resolve it died', async () => {
    for (const when of ['before', 'after'] as const) {
      const told = await story([{ at: at('decide', { by: 'coordinator#2' }), fault: { fault: 'crash', when } }], {
        ...growing,
        startingOffsets: 'latest',
      });
      const added = startingOffsets(told).filter(({ epoch }) => epoch > 0);
      expect(added).toHaveLength(when === 'before' ? 1 : 0);
    }
  });

  it('is not undone by a coordinator of the build before that wakes later: its start is refused, and the job goes on', async () => {
    const told = await story(
      [
        { at: at('invoke process', { nth: 2 }), fault: { fault: 'rival' } },
        { at: at('raiseGeneration', { by: 'coordinator#2' }), fault: { fault: 'freeze', when: 'before', forMs: 3_000 } },
      ],
      growing,
    );
    expect(told.ends).toContainEqual({
      end: 'failed',
      message: expect.stringMatching(/cannot go on with this graph: source read-later is gone/),
    });
    expect(ends(told).at(-1)).toBe('stopped');
  });
});

describe('an update that renames an operator and its states, and has them written in another form', () => {
  const renewed = { job: jobNamed('renewed'), input, updateAtMs: 2_700 };
  const changesIn = (told: Outcome) => told.observed.flatMap((event) => (event.event === 'graph-changed' ? [event] : []));

  it('goes on with what there is, and says so', async () => {
    const told = await story([], renewed);
    expect(changesIn(told)).toEqual([
      {
        event: 'graph-changed',
        added: [],
        renamed: [
          'keyed operator tally goes on as what count was',
          'state of tally: amount goes on as what count was',
          'state of tally: spellings goes on as what letters was',
        ],
      },
    ]);
    expect(ends(told).at(-1)).toBe('stopped');
  });

  it('does so wherever it dies on the way: between the row that says it and the epoch that does it, and behind that', async () => {
    for (const when of ['before', 'after'] as const)
      for (const where of [at('setFingerprint'), at('decide', { by: 'coordinator#2' })]) {
        const told = await story([{ at: where, fault: { fault: 'crash', when } }], renewed);
        expect(ends(told).at(-1)).toBe('stopped');
      }
  });

  it('and starts from a savepoint that the build before has made', async () => {
    const told = await story(
      [
        { at: at('decide', { nth: 3 }), also: (world) => world.onSavepoint({ does: 'create', name: 'kept' }) },
        { at: at('decide', { nth: 6 }), also: (world) => world.onSavepoint({ does: 'start', name: 'kept' }) },
      ],
      renewed,
    );
    const started = told.observed.find((event) => event.event === 'started-from');
    expect(started).toMatchObject({ renamed: expect.arrayContaining(['keyed operator tally goes on as what count was']) });
    expect(ends(told).at(-1)).toBe('stopped');
  });

  it('is not undone by a coordinator of the build before that wakes later', async () => {
    const told = await story(
      [
        { at: at('invoke process', { nth: 2 }), fault: { fault: 'rival' } },
        { at: at('raiseGeneration', { by: 'coordinator#2' }), fault: { fault: 'freeze', when: 'before', forMs: 3_000 } },
      ],
      renewed,
    );
    expect(told.ends).toContainEqual({
      end: 'failed',
      message: expect.stringMatching(/cannot go on with this graph: keyed operator tally is gone/),
    });
    expect(ends(told).at(-1)).toBe('stopped');
  });
});

/** As builds wrote it that knew value states alone. */
function asVersion1(fingerprint: string): string {
  const { operators, ...rest } = JSON.parse(fingerprint);
  for (const { states } of Object.values<{ states: Record<string, { serdes: string[] } | string> }>(operators))
    for (const [name, state] of Object.entries(states)) states[name] = (state as { serdes: [string] }).serdes[0];
  return JSON.stringify({ ...rest, version: 1, operators });
}

it('a job that runs on a row with a fingerprint of version 1 goes on after an update, and its row has that of version 2', async () => {
  let world: World | undefined;
  const rowBefore = {
    at: at('raiseGeneration', { by: 'coordinator#2' }),
    also: (its: World) => {
      world = its;
      const row = its.table.row(JOB);
      if (row === undefined) throw new Error('the job has no row');
      const held = { job: JOB, generation: row.generation, incarnation: row.incarnation };
      its.table.fenced(held, ({ fingerprint }) => ({ fingerprint: asVersion1(fingerprint) }));
    },
  };
  const told = await story([rowBefore], { updateAtMs: 2_700, input });
  expect(text(told)).toMatch(/coordinator#2 +setFingerprint/);
  expect(JSON.parse(world?.table.row(JOB)?.fingerprint ?? '{}').version).toBe(2);
  expect(ends(told).at(-1)).toBe('stopped');
});
