import { expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { coordinate } from '../../../lib/epoch/coordinator/coordinator.ts';
import type { JobRow, Savepoint } from '../../../lib/ports/epoch-store.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { countingPlan } from '../../support/counting-plan.ts';
import { manifestOf } from '../cli/rows.ts';
import { jobRow } from './job-row.ts';

interface Moment {
  readonly table: EpochTable;
  readonly stop: AbortController;
  readonly handOver: AbortController;
}

/** A start whose recovery finds no broker; `third` happens when it has asked for the third time. `of`: the job is there already, stopped, with a savepoint; or failed. */
async function recovering(
  third: (moment: Moment) => unknown,
  of?: { readonly savepoint: Savepoint; readonly rests: Partial<JobRow> },
  afterStops?: number,
) {
  let nowMs = 0;
  const now = () => 1_000_000 + nowMs;
  const table = new EpochTable(now);
  const epochs = modelEpochStore(table, async (_api, _about, _failure, execute) => execute(undefined as never));
  const [stop, handOver] = [new AbortController(), new AbortController()];
  let asked = 0;
  const away = async () => {
    asked++;
    if (asked === 3) await third({ table, stop, handOver });
    if (asked > 20) throw new Error('nothing ended it');
    throw new KafkaProblem('NO_ANSWER', 'no broker answers', true);
  };
  const deps = {
    epochs,
    kafka: new Proxy({}, { get: () => away }),
    sinks: { forTarget: () => ({ how: 'prepared', connector: 'some', refusalOf: away, learn: away }) },
    clock: {
      now,
      elapsedMs: () => nowMs,
      sleep: async (ms: number, signal?: AbortSignal) => {
        if (signal?.aborted === true) return;
        await new Promise((resolve) => setImmediate(resolve));
        nowMs += ms;
      },
    },
    random: { id: () => 'f'.repeat(32), fraction: () => 0.5 },
    observe: () => {},
  } as unknown as CoordinatorDeps;
  if (of !== undefined) {
    await epochs.createJob({ ...jobRow({ job: 'job', fingerprint: 'f' }), leaseExpiresAtMs: 0, ...of.rests });
    await epochs.importSavepoint(of.savepoint);
  }
  const startAt = of && { at: { savepoint: of.savepoint.name }, once: 'asked', drop: [], onWrittenAgain: 'allow' as const };
  const settings = {
    ...{
      job: 'job',
      holder: 'first',
      plan: countingPlan,
      fingerprint: of === undefined ? 'f' : of.savepoint.fingerprint,
      maxParallelism: 128,
      parallelism: {},
      groupId: 'job',
    },
    ...{ leaseMs: 3_000, checkpointIntervalMs: 100, epochTimeoutMs: 60_000, takeover: 'allow', startAt, afterStops },
  } as Partial<JobSettings> as JobSettings;
  const end = await coordinate(deps, settings, { stop: stop.signal, handOver: handOver.signal });
  return { end, asked, row: await epochs.readJob('job') };
}

it.each(['stop', 'handOver'] as const)(
  'a recovery that is told to end (%s) leaves the rest to the next coordinator, at once',
  async (how) => {
    const { end, asked, row } = await recovering((moment) => moment[how].abort());
    expect(end).toEqual({ end: 'handed-over', message: expect.stringMatching(/left to the next coordinator: no broker answers/) });
    expect(asked).toBe(3);
    expect(row).toMatchObject({ leaseExpiresAtMs: 0, desired: 'running', failure: undefined });
  },
);

const fingerprint = JSON.stringify({ version: 2, sources: [], sinks: [], operators: {} });
const savepoint: Savepoint = {
  ...{ job: 'job', name: 'kept', id: 'i1', standing: 'complete', createdAtMs: 1, incarnation: 'x', epoch: 7, decisionId: 'd7' },
  ...{
    fingerprint,
    maxParallelism: 128,
    manifest: { at: 'row', manifest: manifestOf(7, { offsets: {}, state: {}, outputs: {}, committables: [] }) },
  },
};

it.each<Pick<JobRow, 'desired' | 'failure'>>([
  { desired: 'stopped', failure: undefined },
  { desired: 'running', failure: 'it failed' },
])(
  'a start of a job that rests (%j) from a savepoint that is told to end leaves it at rest, and says that it has to be asked for again',
  async (rests) => {
    const { end, row } = await recovering((moment) => moment.handOver.abort(), { savepoint, rests });
    const message = expect.stringMatching(/^job job was not started, and is as it was: ask again \(.*no broker answers\)$/);
    expect(end).toEqual({ end: 'failed', message });
    expect(row).toMatchObject({ leaseExpiresAtMs: 0, desired: rests.desired, failure: message });
  },
);

it('a recovery of a job that somebody stops leaves the rest to the next coordinator, when no broker has answered for ten seconds since', async () => {
  const { end, row } = await recovering(({ table }) => table.setDesired('job', 'stopped'));
  expect(end).toEqual({ end: 'handed-over', message: expect.stringMatching(/left to the next coordinator: no broker answers/) });
  expect(row).toMatchObject({ leaseExpiresAtMs: 0, desired: 'stopped', failure: undefined });
});

it('a start from a savepoint of a stopped job that somebody stops once more, before it has moved on, ends too when no broker has answered for so long', async () => {
  const rests = { desired: 'stopped', failure: undefined, stops: 4 } as const;
  const { end, row } = await recovering(({ table }) => table.setDesired('job', 'stopped'), { savepoint, rests });
  expect(end).toEqual({ end: 'failed', message: expect.stringMatching(/^job job was not started, and is as it was: ask again/) });
  expect(row).toMatchObject({ leaseExpiresAtMs: 0, desired: 'stopped', stops: 5, incarnation: 'inc' });
});

it('so does the recovery of one that was done before, and is tried again when somebody has stopped the job since it was first tried', async () => {
  const startedFrom = [{ id: 'asked', savepoint: 'kept', incarnation: 'x', epoch: 7, atMs: 1 }];
  const rests = { desired: 'stopped', failure: undefined, stops: 5, startedFrom, fingerprint } as const;
  const { end, row } = await recovering(() => {}, { savepoint, rests }, 4);
  expect(end).toEqual({ end: 'handed-over', message: expect.stringMatching(/left to the next coordinator: no broker answers/) });
  expect(row).toMatchObject({ leaseExpiresAtMs: 0, desired: 'stopped', failure: undefined });
});

/** Another process takes the job. */
const taken = { holder: 'second', leaseExpiresAtMs: 9_000_000 };

it('a recovery ends when another coordinator has taken the lease, and says who', async () => {
  const { end, row } = await recovering(({ table }) => table.raise('job', { generation: 1 }, taken));
  expect(end).toEqual({
    end: 'superseded',
    message: expect.stringMatching(/^generation 2 of second has taken over job job from this one, generation 1 of first; its lease runs/),
  });
  expect(row).toMatchObject({ generation: 2, ...taken });
});

it('a recovery of a job that was deleted and made anew ends too, and nobody has taken anything over from it', async () => {
  const { end, row } = await recovering(({ table }) => {
    const { job, generation, incarnation, ...rest } = table.row('job') ?? expect.fail('there is no job');
    table.deleteJob({ job, generation, incarnation });
    table.create({ ...rest, job, generation, incarnation: 'anew', ...taken });
  });
  expect(end).toEqual({ end: 'superseded', message: 'another coordinator has taken over job job' });
  expect(row).toMatchObject({ generation: 1, incarnation: 'anew', ...taken });
});
