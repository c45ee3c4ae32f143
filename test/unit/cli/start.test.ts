import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../cli/command.ts';
import { nextStartStep, start } from '../../../cli/commands/start.ts';
import type { CommandTools } from '../../../cli/tools.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { jobRowOf, NOW } from './rows.ts';

const stopped = jobRowOf({ leaseExpiresAtMs: 0, desired: 'stopped' });
const next = (change: Partial<JobRow>) => jobRowOf({ generation: 7, holder: 'start abc', ...change });

describe('of a start the row of the job says', () => {
  it.each<[string, JobRow | undefined, JobRow | undefined, ReturnType<typeof nextStartStep>]>([
    ['nothing while there is none', undefined, undefined, 'wait'],
    ['nothing while it is the one of before', stopped, stopped, 'wait'],
    ['that a coordinator has it, when it is new', undefined, next({}), 'taken'],
    ['that a coordinator has it, of a later generation', stopped, next({}), 'taken'],
    ['that a coordinator has it, of another incarnation', stopped, jobRowOf({ incarnation: 'new' }), 'taken'],
    ['that it failed', stopped, next({ leaseExpiresAtMs: 0, failure: 'no topic' }), 'failed'],
    ['nothing of a failure of before', { ...stopped, failure: 'old' }, { ...stopped, failure: 'old' }, 'wait'],
  ])('%s', (_what, before, row, step) => {
    expect(nextStartStep(before, row, NOW)).toBe(step);
  });
});

describe('onceflow start', () => {
  /** The row as it is read, one time after the other; the last stays. */
  async function run(
    rows: readonly (JobRow | undefined)[],
    takeOver = false,
    table = 'onceflow',
  ): Promise<{ result: CommandResult; asked: number }> {
    const left = [...rows];
    let asked = 0;
    let elapsedMs = 0;
    const patience = new AbortController();
    const tools = {
      job: 'word-count',
      config: { table },
      epochs: { readJob: async () => (left.length > 1 ? left.shift() : left[0]) },
      clock: {
        now: () => NOW,
        elapsedMs: () => elapsedMs,
        sleep: async (ms: number) => {
          elapsedMs += ms;
          if (elapsedMs > 60_000) patience.abort();
        },
      },
      startDeployed: async () => `word-count-coordinator-${++asked}`,
      say: () => {},
    } as unknown as CommandTools;
    return { result: await start(tools, { takeOver }, patience.signal), asked };
  }

  it('asks the deployment once, and waits until a coordinator has the job', async () => {
    const { result, asked } = await run([stopped, stopped, next({})]);
    expect(asked).toBe(1);
    expect(result).toMatchObject({
      code: 0,
      json: { outcome: 'started', generation: 7 },
      text: expect.stringContaining('goes on from epoch 9'),
    });
  });

  it('refuses a job that no deployment has, because it is in a file of this machine', async () => {
    await expect(run([stopped], false, 'file:///project/epochs.sqlite')).rejects.toThrow(
      /^job word-count is in a file of this machine \(ONCEFLOW_TABLE\), and no deployment has it: "onceflow dev" runs it/,
    );
  });

  it('tells of a start that fails a moment later, with exit code 4', async () => {
    const { result } = await run([undefined, next({}), next({ leaseExpiresAtMs: 0, failure: 'no such topic' })]);
    expect(result).toMatchObject({ code: 4, json: { outcome: 'failed' }, text: expect.stringContaining('no such topic') });
  });

  it('leaves a job alone that runs, unless it is to take over', async () => {
    const left = await run([jobRowOf()]);
    expect(left).toMatchObject({ asked: 0, result: { code: 0, json: { outcome: 'runs-already', generation: 6 } } });
    const taken = await run([jobRowOf(), next({})], true);
    expect(taken).toMatchObject({ asked: 1, result: { json: { outcome: 'started', generation: 7 } } });
  });

  it('says where to look when nobody has taken the job in time: exit code 7', async () => {
    const { result } = await run([stopped]);
    expect(result).toMatchObject({ code: 7, text: expect.stringContaining('onceflow logs --role coordinator') });
  });
});
