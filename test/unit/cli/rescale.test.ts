import { describe, expect, it } from 'vitest';
import type { JobRow, Rescale } from '../../../lib/ports/epoch-store.ts';
import { jobRowOf, NOW } from './rows.ts';
import { runCommand } from './run-command.ts';

const scale = { 'read-lines': { subtasks: 1, least: 1, most: 1 }, 'count-words': { subtasks: 2, least: 1, most: 8 } };

/** What a call comes to, and what was asked of the job with this row; the write answers so. */
async function asked(call: readonly string[], change: Partial<JobRow> | 'none' = {}, answer = 'written') {
  const writes: { readonly rescale: Rescale; readonly seen: string | undefined }[] = [];
  const row = change === 'none' ? undefined : jobRowOf({ scale, ...change });
  const epochs = {
    readJob: async () => row,
    askRescale: async (_job: string, _incarnation: string, rescale: Rescale, seen: string | undefined) => {
      writes.push({ rescale, seen });
      return answer;
    },
  };
  const tools = { epochs, config: { table: 't' }, clock: { now: () => NOW }, random: { id: () => 'new' } };
  return { result: await runCommand(['rescale', ...call], tools), writes };
}

describe('onceflow rescale', () => {
  it('asks for a number within the bounds, and says from when on', async () => {
    const { result, writes } = await asked(['count-words=8']);
    expect(writes).toEqual([{ rescale: { id: 'new', subtasks: { 'count-words': 8 }, askedAtMs: NOW }, seen: undefined }]);
    expect(result).toMatchObject({ code: 0, json: { outcome: 'asked', subtasks: { 'count-words': 8 } } });
    expect(result.text).toContain('count-words: 2 subtasks, and 8 from the next epoch on');
  });

  it('keeps what was asked for of other stages, and takes back what is to be automatic', async () => {
    const rescale = { id: 'old', subtasks: { 'count-words': 3, 'read-lines': 1 }, askedAtMs: 1 };
    const { writes } = await asked(['count-words=auto'], { rescale });
    expect(writes).toMatchObject([{ rescale: { subtasks: { 'read-lines': 1 } }, seen: 'old' }]);
  });

  it.each<[string, readonly string[], Partial<JobRow>, number, string]>([
    [
      'more than the upper bound',
      ['count-words=9'],
      {},
      2,
      'count-words=9 is out of its bounds, 1 to 8; deploy the job with others (ONCEFLOW_STAGE_PARALLELISM=count-words=1..9): nothing was changed',
    ],
    [
      'more than there are key groups',
      ['count-words=129'],
      {},
      2,
      'count-words=129 is more than the 128 key groups of job word-count (ONCEFLOW_MAX_PARALLELISM), which are fixed for its life: nothing was changed',
    ],
    [
      'another number of a stage that has one',
      ['read-lines=2'],
      {},
      2,
      'read-lines=2 is out of its bounds, 1 to 1; deploy the job with others (ONCEFLOW_STAGE_PARALLELISM=read-lines=1..2): nothing was changed',
    ],
    [
      'a stage that there is not',
      ['count=2'],
      {},
      2,
      'job word-count has no stage count; its stages are read-lines, count-words: nothing was changed',
    ],
    [
      'a job that is stopped',
      ['count-words=2'],
      { desired: 'stopped' },
      1,
      'job word-count is stopped, and only one that runs is rescaled; start it first: nothing was changed',
    ],
    [
      'a job that has failed',
      ['count-words=2'],
      { failure: 'why', leaseExpiresAtMs: 0 },
      1,
      'job word-count has failed, and only one that runs is rescaled; mend it, and start it: nothing was changed',
    ],
    [
      'a job of which nobody has said what it has',
      ['count-words=2'],
      { scale: undefined },
      1,
      'job word-count has not said yet which stages it has: its coordinator has just begun, or is of a build before this: nothing was changed',
    ],
  ])('refuses %s in one message', async (_what, call, change, code, message) => {
    const { result, writes } = await asked(call, change);
    expect(result).toEqual({ code, json: { job: 'word-count', outcome: 'refused', message }, text: message });
    expect(writes).toEqual([]);
  });

  it('is taken by a job that runs again since it failed, and by one that nobody holds at the moment', async () => {
    expect((await asked(['count-words=8'], { failure: 'of before' })).result).toMatchObject({ code: 0 });
    expect((await asked(['count-words=8'], { leaseExpiresAtMs: 0 })).result).toMatchObject({ code: 0 });
  });

  it('of two at once tells the second that it was not made', async () => {
    const { result } = await asked(['count-words=4'], {}, 'superseded');
    expect(result).toMatchObject({ code: 1, json: { outcome: 'superseded' } });
    expect(result.text).toContain('at the same time: nothing was changed');
  });

  it('of a job that there is not says so', async () => {
    expect((await asked(['count-words=4'], 'none')).result).toMatchObject({ code: 3 });
  });

  it.each([[[]], [['count-words']], [['count-words=0']], [['count-words=many']], [['=4']], [['count-words=2', 'count-words=3']]])(
    'takes no %j',
    async (call) => {
      await expect(asked(call)).rejects.toThrow(/which stage|is no request: it must be STAGE=NUMBER|is named twice/);
    },
  );
});
