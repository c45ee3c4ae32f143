import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Decision, EpochStore, JobRow, SentAgain } from '../../lib/ports/epoch-store.ts';
import { StoreProblem } from '../../lib/ports/store-problem.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';
import type { Pool } from '../../lib/protocol/pool.ts';

/** Ids have the engine's shape: 32 hexadecimal digits. */
const newId = () => randomUUID().replaceAll('-', '');

export function newJobRow(change: Partial<JobRow> = {}): JobRow {
  return {
    job: `job-${newId()}`,
    incarnation: newId(),
    generation: 1,
    holder: 'first',
    leaseExpiresAtMs: 1_000,
    desired: 'running',
    failure: undefined,
    lastCompleted: undefined,
    lastCommitted: 0,
    retiredThrough: -1,
    pool: {},
    fingerprint: 'graph-1',
    maxParallelism: 128,
    ...change,
  };
}

/** The pool of Kafka's sinks with so many subtasks. */
export function poolOf(subtasks: Readonly<Record<string, number>>, places: Readonly<Record<string, readonly string[]>> = {}): Pool {
  return {
    kafka: Object.fromEntries(Object.entries(subtasks).map(([sink, count]) => [sink, { subtasks: count, places: places[sink] ?? [] }])),
  };
}

function manifestOf(row: JobRow, epoch: number, decisionId: string, parentDecisionId: string | undefined): Manifest {
  return {
    version: 3,
    job: row.job,
    incarnation: row.incarnation,
    epoch,
    decisionId,
    parentDecisionId,
    offsets: { 'read-lines': { lines: [epoch * 10, Number.MAX_SAFE_INTEGER] } },
    state: { count: [{ id: `s${epoch}`, keyGroups: { first: 0, last: 127 }, base: { at: 'inline', base64: 'AAE=' }, deltas: [] }] },
    outputs: { 'write-counts': [[{ at: 'store', name: `x/output/0-${epoch}`, bytes: 12 }]] },
    committables: [
      {
        sink: 'write-counts',
        connector: 'kafka',
        subtask: 0,
        epoch,
        token: {
          transactionalId: 't-0',
          producerId: '9007199254740993',
          producerEpoch: 3,
          written: [{ topic: 'counts', partition: 1, first: 7, last: Number.MAX_SAFE_INTEGER }],
        },
      },
    ],
  };
}

export function decisionOf(row: JobRow, change: Partial<Decision> = {}): Decision {
  const epoch = change.epoch ?? (row.lastCompleted === undefined ? 0 : row.lastCompleted.epoch + 1);
  const decisionId = change.decisionId ?? newId();
  const parentDecisionId = 'parentDecisionId' in change ? change.parentDecisionId : row.lastCompleted?.decisionId;
  return {
    job: row.job,
    incarnation: row.incarnation,
    generation: row.generation,
    epoch,
    decisionId,
    parentDecisionId,
    leaseExpiresAtMs: 2_000 + epoch,
    lastCommitted: Math.max(0, epoch - 1),
    manifest: { at: 'row', manifest: manifestOf(row, epoch, decisionId, parentDecisionId) },
    summary: { plannedAtMs: 10, decidedAtMs: 20, attempts: 1, recordsIn: 5, recordsOut: 7 },
    ...change,
  };
}

/** What every `EpochStore` promises. `open` is called once; each test has a job of its own. */
export function epochStoreContract(open: () => Promise<EpochStore>): void {
  let store: EpochStore;

  beforeAll(async () => {
    store = await open();
  });

  async function read(job: string): Promise<JobRow> {
    const row = await store.readJob(job);
    if (row === undefined) throw new Error(`no row of ${job}`);
    return row;
  }

  async function startJob(change: Partial<JobRow> = {}): Promise<JobRow> {
    const row = newJobRow(change);
    expect(await store.createJob(row)).toBe('created');
    return row;
  }

  /** The job after epochs 0 … last were decided. */
  async function jobAt(last: number): Promise<JobRow> {
    let row = await startJob();
    for (let epoch = 0; epoch <= last; epoch++) {
      expect(await store.decide(decisionOf(row))).toBe('decided');
      row = await read(row.job);
    }
    return row;
  }

  describe('the job row', () => {
    it('is created once and read back as it was', async () => {
      const row = await startJob({ pool: poolOf({ 'write-counts': 2 }), holder: 'host 1, process 7' });
      expect(await read(row.job)).toEqual(row);
      expect(await store.createJob(newJobRow({ job: row.job, holder: 'second' }))).toBe('exists');
      expect(await read(row.job)).toEqual(row);
    });

    it('is undefined for a job that was never created', async () => {
      expect(await store.readJob(`job-${newId()}`)).toBeUndefined();
    });

    it('of 50 concurrent creations exactly one is the row', async () => {
      const job = `job-${newId()}`;
      const rows = Array.from({ length: 50 }, (_, index) => newJobRow({ job, holder: `h${index}` }));
      const answers = await Promise.all(rows.map((row) => store.createJob(row)));
      const winners = rows.filter((_, index) => answers[index] === 'created');
      expect(winners).toHaveLength(1);
      expect(await read(job)).toEqual(winners[0]);
    });
  });

  describe('the generation', () => {
    it('is raised by an explicit start, which takes the lease, wants the job to run and clears the failure', async () => {
      const row = await startJob({ desired: 'stopped', failure: 'no such topic', pool: poolOf({ sink: 3 }) });
      const raised = await store.raiseGeneration(row.job, 'second', 5_000);
      expect(raised).toEqual({ ...row, generation: 2, holder: 'second', leaseExpiresAtMs: 5_000, desired: 'running', failure: undefined });
      expect(await read(row.job)).toEqual(raised);
    });

    it('is taken with the end that its holder announces, and without the one of the holder before', async () => {
      const row = await startJob();
      expect(await store.raiseGeneration(row.job, 'second', 5_000, 90_000)).toMatchObject({ generation: 2, holderEndsAtMs: 90_000 });
      expect(await read(row.job)).toMatchObject({ holderEndsAtMs: 90_000 });
      expect(await store.reviveGeneration(row.job, { ...row, generation: 2 }, 'third', 6_000, 95_000)).toMatchObject({
        generation: 3,
        holderEndsAtMs: 95_000,
      });
      expect((await store.raiseGeneration(row.job, 'fourth', 7_000)).holderEndsAtMs).toBeUndefined();
      expect((await read(row.job)).holderEndsAtMs).toBeUndefined();
    });

    it('is different for each of 20 coordinators that start at once', async () => {
      const row = await startJob();
      const raised = await Promise.all(Array.from({ length: 20 }, (_, index) => store.raiseGeneration(row.job, `h${index}`, index)));
      expect(new Set(raised.map(({ generation }) => generation)).size).toBe(20);
      const last = await read(row.job);
      expect(last).toEqual(raised.find(({ generation }) => generation === last.generation));
      expect(last.generation).toBe(21);
    });

    it('is raised by a revival only when it is still the expected one, and the stop that a person asked for stays', async () => {
      const row = await startJob({ desired: 'stopped' });
      const revived = await store.reviveGeneration(row.job, row, 'second', 5_000);
      expect(revived).toEqual({ ...row, generation: 2, holder: 'second', leaseExpiresAtMs: 5_000 });
      expect(await store.reviveGeneration(row.job, row, 'third', 6_000)).toBeUndefined();
      expect(await read(row.job)).toEqual(revived);
    });

    it.each<[string, Partial<JobRow>, (row: JobRow) => Promise<unknown>]>([
      ['a person stopped', {}, ({ job }) => store.setDesired(job, 'stopped')],
      ['a person let run again', { desired: 'stopped' }, ({ job }) => store.setDesired(job, 'running')],
      ['has failed', {}, ({ job }) => store.releaseLease(job, 1, { desired: 'as-it-is', failure: 'no such topic' })],
      ['was resumed', { failure: 'no such topic' }, ({ job }) => store.setDesired(job, 'running')],
    ])('is not raised by a revival of a job that %s since it was looked at', async (_how, before, happens) => {
      const row = await startJob(before);
      await happens(row);
      const now = await read(row.job);
      expect(await store.reviveGeneration(row.job, row, 'second', 5_000)).toBeUndefined();
      expect(await read(row.job)).toEqual(now);
      expect(await store.reviveGeneration(row.job, now, 'second', 5_000)).toEqual({
        ...now,
        ...{ generation: 2, holder: 'second', leaseExpiresAtMs: 5_000 },
      });
    });

    it('is raised by a start that takes over from nobody only when it is still the expected one, and the job is to run', async () => {
      const row = await startJob({ desired: 'stopped', failure: 'no such topic' });
      const started = await store.startGeneration(row.job, row, 'second', 5_000, 90_000);
      const lease = { generation: 2, holder: 'second', leaseExpiresAtMs: 5_000, holderEndsAtMs: 90_000 };
      expect(started).toEqual({ ...row, ...lease, desired: 'running', failure: undefined });
      await store.setDesired(row.job, 'stopped');
      expect(await store.startGeneration(row.job, row, 'third', 6_000)).toBeUndefined();
      expect(await read(row.job)).toEqual({ ...started, desired: 'stopped' });
    });

    it('is not raised by a revival of a job that was made anew since, and is at the same generation', async () => {
      const row = await startJob();
      expect(await store.reviveGeneration(row.job, { ...row, incarnation: 'of-before' }, 'second', 5_000)).toBeUndefined();
      expect(await store.startGeneration(row.job, { ...row, incarnation: 'of-before' }, 'second', 5_000)).toBeUndefined();
      expect(await read(row.job)).toEqual(row);
    });

    it('of 50 concurrent revivals exactly one gets it', async () => {
      const row = await startJob();
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => store.reviveGeneration(row.job, row, `h${index}`, index)));
      const winners = answers.filter((answer) => answer !== undefined);
      expect(winners).toHaveLength(1);
      expect(await read(row.job)).toEqual(winners[0]);
    });

    it('of a job that was never created cannot be raised', async () => {
      const job = `job-${newId()}`;
      await expect(store.raiseGeneration(job, 'h', 1)).rejects.toMatchObject({ name: 'StoreProblem', retriable: false });
      expect(await store.reviveGeneration(job, newJobRow({ job }), 'h', 1)).toBeUndefined();
      expect(await store.readJob(job)).toBeUndefined();
    });
  });

  describe('the holder of the generation', () => {
    it('renews its lease', async () => {
      const row = await startJob();
      expect(await store.renewLease(row.job, 1, 9_000)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 9_000 });
    });

    it('releases its lease and records why the job ended', async () => {
      const row = await startJob();
      expect(await store.releaseLease(row.job, 1, { desired: 'stopped', failure: 'data loss' })).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 0, desired: 'stopped', failure: 'data loss' });
    });

    it.each(['stopped', 'running'] as const)('that ends does not undo what a person asked for meanwhile (%s)', async (desired) => {
      const row = await startJob({ desired: desired === 'stopped' ? 'running' : 'stopped' });
      await store.setDesired(row.job, desired);
      expect(await store.releaseLease(row.job, 1, { desired: 'as-it-is', failure: undefined })).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, leaseExpiresAtMs: 0, desired });
    });

    it('records that the job makes no progress, and takes it back', async () => {
      const row = await startJob();
      const noProgress = { generation: 1, sinceMs: 5_000, failuresInARow: 3, lastError: 'epoch 4: no' };
      expect(await store.recordNoProgress(row.job, 1, noProgress)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, noProgress });
      expect(await store.recordNoProgress(row.job, 1, { generation: 1, sinceMs: 5_000, failuresInARow: 0 })).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, noProgress: { generation: 1, sinceMs: 5_000, failuresInARow: 0 } });
      expect(await store.recordNoProgress(row.job, 1, undefined)).toBe('written');
      expect(await read(row.job)).toEqual(row);
    });

    it('widens the pool, never narrows it, and keeps sinks that it does not name', async () => {
      const row = await startJob();
      const widen = (pool: Pool) => store.widenPool(row.job, 1, pool);
      expect(await widen(poolOf({ a: 2, 'b.c': 1 }, { a: ['out'] }))).toBe('written');
      expect(await widen(poolOf({ a: 1, d: 4 }, { a: ['out'] }))).toBe('written');
      expect((await read(row.job)).pool).toEqual(poolOf({ a: 2, 'b.c': 1, d: 4 }, { a: ['out'] }));
      expect(await widen(poolOf({ a: 3, d: 0 }, { a: ['other'], d: ['out'] }))).toBe('written');
      expect(await widen(poolOf({ a: 3 }))).toBe('written');
      expect(await widen({ other: poolOf({ a: 1 })['kafka'] ?? {} })).toBe('written');
      const own = poolOf({ a: 3, 'b.c': 1, d: 4 }, { a: ['out', 'other'], d: ['out'] });
      expect(await read(row.job)).toEqual({ ...row, pool: { ...own, other: { a: { subtasks: 1, places: [] } } } });
    });

    it('records what was sent again of the last epoch, each time in place of what was seen, until the next is decided', async () => {
      const { job } = await startJob();
      await store.decide(decisionOf(await read(job)));
      const { lastCompleted } = await read(job);
      const sent = (id: string, decisionId = lastCompleted?.decisionId ?? ''): SentAgain => ({
        decisionId,
        id,
        committables: { at: 'row', list: manifestOf(newJobRow(), 0, decisionId, undefined).committables },
      });
      expect(await store.recordSentAgain(job, 1, sent('a'), undefined)).toBe('written');
      expect(await store.recordSentAgain(job, 1, sent('a'), undefined)).toBe('written');
      expect((await read(job)).sentAgain).toEqual(sent('a'));
      expect(await store.recordSentAgain(job, 1, sent('b'), 'a')).toBe('written');
      await expect(store.recordSentAgain(job, 1, sent('c'), 'a')).rejects.toThrow(/b/);
      await expect(store.recordSentAgain(job, 1, sent('c'), undefined)).rejects.toThrow(/b/);
      await expect(store.recordSentAgain(job, 1, sent('c', 'another'), undefined)).rejects.toThrow(/another/);
      expect((await read(job)).sentAgain).toEqual(sent('b'));
      const blob: SentAgain = { ...sent('d'), committables: { at: 'blob', name: 'x/manifest' } };
      expect(await store.recordSentAgain(job, 1, blob, 'b')).toBe('written');
      expect((await read(job)).sentAgain).toEqual(blob);
      await store.decide(decisionOf(await read(job)));
      expect((await read(job)).sentAgain).toBeUndefined();
    });

    it('records a change of the graph', async () => {
      const row = await startJob();
      expect(await store.setFingerprint(row.job, 1, 'graph-2')).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, fingerprint: 'graph-2' });
    });

    it('records commits, never back', async () => {
      const row = await jobAt(2);
      expect(await store.recordCommitted(row.job, 1, 2)).toBe('written');
      expect(await store.recordCommitted(row.job, 1, 1)).toBe('written');
      expect((await read(row.job)).lastCommitted).toBe(2);
    });

    it('cannot record the commit of an epoch that is not decided', async () => {
      const row = await jobAt(1);
      await expect(store.recordCommitted(row.job, 1, 2)).rejects.toThrow(/the last that is decided is 1/);
      const fresh = await startJob();
      await expect(store.recordCommitted(fresh.job, 1, 1)).rejects.toThrow(/the last that is decided is none/);
      expect((await read(row.job)).lastCommitted).toBe(0);
    });

    it('retires epochs, never back', async () => {
      const row = await jobAt(3);
      expect(await store.retireThrough(row.job, 1, 1)).toBe('written');
      expect(await store.retireThrough(row.job, 1, 2)).toBe('written');
      expect(await store.retireThrough(row.job, 1, 1)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, retiredThrough: 2 });
    });

    it('cannot retire the newest epoch, nor one that is not committed', async () => {
      const row = await jobAt(3);
      expect(row.lastCommitted).toBe(2);
      await expect(store.retireThrough(row.job, 1, 3)).rejects.toThrow(/cannot be retired/);
      expect(await store.recordCommitted(row.job, 1, 3)).toBe('written');
      await expect(store.retireThrough(row.job, 1, 3)).rejects.toThrow(/the newest is 3/);
      const fresh = await jobAt(0);
      await expect(store.retireThrough(fresh.job, 1, 0)).rejects.toThrow(/cannot be retired/);
      expect((await read(row.job)).retiredThrough).toBe(-1);
      // Not even when decisions have run ahead of the commits.
      const ahead = decisionOf(row, { lastCommitted: 0 });
      expect(await store.decide(ahead)).toBe('decided');
      await expect(store.retireThrough(row.job, 1, 1)).rejects.toThrow(/cannot be retired: epochs up to 0 are committed/);
    });

    it('lets the rows of retired epochs expire and makes no row where one has gone', async () => {
      const row = await jobAt(2);
      const before = await store.listEpochs(row.job, row.incarnation, -1);
      const inAnHour = (Math.floor(Date.now() / 1000) + 3_600) * 1000;
      for (const epoch of [0, 1, 7, 0, 1, 7]) await store.expireEpoch(row.job, row.incarnation, epoch, inAnHour);
      const after = await store.listEpochs(row.job, row.incarnation, -1);
      expect(after).toEqual(before.map((each) => (each.epoch < 2 ? { ...each, expiresAtMs: inAnHour } : each)));
      expect((await store.readEpoch(row.job, row.incarnation, 1))?.expiresAtMs).toBe(inAnHour);
      expect((await store.readEpoch(row.job, row.incarnation, 2))?.expiresAtMs).toBeUndefined();
    });
  });

  describe("a person's request to stop or run", () => {
    it('is written whatever the generation', async () => {
      const row = await startJob();
      await store.raiseGeneration(row.job, 'second', 5_000);
      await store.setDesired(row.job, 'stopped');
      expect((await read(row.job)).desired).toBe('stopped');
      await store.setDesired(row.job, 'running');
      expect((await read(row.job)).desired).toBe('running');
    });

    it('to run clears the failure, and one to stop keeps it', async () => {
      const row = await startJob({ failure: 'no such topic' });
      await store.setDesired(row.job, 'stopped');
      expect(await read(row.job)).toEqual({ ...row, desired: 'stopped' });
      await store.setDesired(row.job, 'running');
      expect(await read(row.job)).toEqual({ ...row, failure: undefined });
    });

    it('of one incarnation is not written to another', async () => {
      const row = await startJob();
      expect(await store.setDesired(row.job, 'stopped', 'of-before')).toBe('superseded');
      expect(await read(row.job)).toEqual(row);
      expect(await store.setDesired(row.job, 'stopped', row.incarnation)).toBe('written');
      expect((await read(row.job)).desired).toBe('stopped');
    });

    it('makes no row for a job that does not exist', async () => {
      const job = `job-${newId()}`;
      const failed = await store.setDesired(job, 'stopped').catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(StoreProblem);
      expect(failed).toMatchObject({ retriable: false, message: expect.stringContaining(job) });
      expect(await store.readJob(job)).toBeUndefined();
    });
  });

  describe("a person's request for other numbers of subtasks", () => {
    const rescale = (id: string, subtasks: Readonly<Record<string, number>> = { count: 8 }) => ({ id, subtasks, askedAtMs: 1 });

    it('is in the row, in place of the one that was seen, whatever the generation', async () => {
      const row = await startJob();
      expect(await store.askRescale(row.job, row.incarnation, rescale('first'), undefined)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, rescale: rescale('first') });
      expect(await store.askRescale(row.job, row.incarnation, rescale('second', { 'a.b': 2 }), 'first')).toBe('written');
      // Its first try was carried out, and nobody heard of it.
      expect(await store.askRescale(row.job, row.incarnation, rescale('second', { 'a.b': 2 }), 'first')).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, rescale: rescale('second', { 'a.b': 2 }) });
    });

    it('of two at once is made once, and one that has not seen the last is not made', async () => {
      const row = await startJob();
      const both = ['one', 'other'].map((id) => store.askRescale(row.job, row.incarnation, rescale(id), undefined));
      expect((await Promise.all(both)).toSorted()).toEqual(['superseded', 'written']);
      expect(await store.askRescale(row.job, row.incarnation, rescale('third'), 'of-before')).toBe('superseded');
    });

    it('is not made of a job that is to stop, or was made anew', async () => {
      const stopped = await startJob({ desired: 'stopped' });
      expect(await store.askRescale(stopped.job, stopped.incarnation, rescale('one'), undefined)).toBe('superseded');
      expect(await read(stopped.job)).toEqual(stopped);
      const row = await startJob();
      expect(await store.askRescale(row.job, 'of-before', rescale('one'), undefined)).toBe('superseded');
      expect(await read(row.job)).toEqual(row);
      await expect(store.askRescale(`job-${newId()}`, 'i', rescale('one'), undefined)).rejects.toBeInstanceOf(StoreProblem);
    });

    it('and what there is, which the holder records, are two things', async () => {
      const row = await startJob();
      const scale = { count: { subtasks: 2, least: 1, most: 8, since: { epoch: 4, atMs: 7, why: 'asked for by hand' } } };
      expect(await store.recordScale(row.job, 1, scale)).toBe('written');
      expect(await read(row.job)).toEqual({ ...row, scale });
    });
  });

  describe('a fenced coordinator writes nothing', () => {
    const writes: Readonly<Record<string, (row: JobRow) => Promise<string>>> = {
      'recording the subtasks': ({ job, generation }) => store.recordScale(job, generation, { count: { subtasks: 9, least: 1, most: 9 } }),
      'recording its progress': ({ job, generation }) =>
        store.recordNoProgress(job, generation, { generation, sinceMs: 5, failuresInARow: 3, lastError: 'no' }),
      'renewing its lease': ({ job, generation }) => store.renewLease(job, generation, 99_000),
      'releasing its lease': ({ job, generation }) => store.releaseLease(job, generation, { desired: 'stopped', failure: 'fenced' }),
      'widening the pool': ({ job, generation }) => store.widenPool(job, generation, poolOf({ sink: 9 })),
      'recording what was sent again': ({ job, generation, lastCompleted }) =>
        store.recordSentAgain(
          job,
          generation,
          { decisionId: lastCompleted?.decisionId ?? '', id: 'sent', committables: { at: 'row', list: [] } },
          undefined,
        ),
      'widening the pool to what it is': ({ job, generation, pool }) => store.widenPool(job, generation, pool),
      'changing the fingerprint': ({ job, generation }) => store.setFingerprint(job, generation, 'graph-9'),
      'recording a commit': ({ job, generation }) => store.recordCommitted(job, generation, 2),
      'recording a commit that is recorded': ({ job, generation }) => store.recordCommitted(job, generation, 0),
      'retiring an epoch': ({ job, generation }) => store.retireThrough(job, generation, 1),
      'retiring an epoch that is retired': ({ job, generation }) => store.retireThrough(job, generation, -1),
      'deciding the next epoch': (row) => store.decide(decisionOf(row)),
    };

    it.each(Object.keys(writes))('when %s', async (name) => {
      const old = await jobAt(2);
      await store.raiseGeneration(old.job, 'successor', 50_000);
      const before = { row: await read(old.job), epochs: await store.listEpochs(old.job, old.incarnation, -1) };
      expect(await writes[name]?.(old)).toBe(name === 'deciding the next epoch' ? 'refused' : 'superseded');
      expect({ row: await read(old.job), epochs: await store.listEpochs(old.job, old.incarnation, -1) }).toEqual(before);
    });

    it.each(Object.keys(writes))('nor one whose generation never was, when %s', async (name) => {
      const row = await jobAt(2);
      const epochs = await store.listEpochs(row.job, row.incarnation, -1);
      expect(await writes[name]?.({ ...row, generation: 9 })).toBe(name === 'deciding the next epoch' ? 'refused' : 'superseded');
      expect(await read(row.job)).toEqual(row);
      expect(await store.listEpochs(row.job, row.incarnation, -1)).toEqual(epochs);
    });

    it('nor one of a job that does not exist', async () => {
      const ghost = newJobRow({ lastCompleted: { epoch: 2, decisionId: newId() } });
      for (const [name, write] of Object.entries(writes)) {
        expect(await write(ghost), name).toBe(name === 'deciding the next epoch' ? 'refused' : 'superseded');
      }
      expect(await store.readJob(ghost.job)).toBeUndefined();
      expect(await store.listEpochs(ghost.job, ghost.incarnation, -1)).toEqual([]);
    });
  });

  describe('a decision', () => {
    it('creates the row of its epoch and moves the job row from the parent to it, with the lease and what is committed', async () => {
      const row = await jobAt(1);
      const decision = decisionOf(row);
      expect(await store.decide(decision)).toBe('decided');
      expect(await read(row.job)).toEqual({
        ...row,
        lastCompleted: { epoch: 2, decisionId: decision.decisionId },
        lastCommitted: 1,
        leaseExpiresAtMs: decision.leaseExpiresAtMs,
      });
      const { epoch, decisionId, manifest, summary } = decision;
      expect(await store.readEpoch(row.job, row.incarnation, 2)).toEqual({ epoch, decisionId, manifest, summary });
    });

    it('of epoch 0 has no parent, and there is only one of them', async () => {
      const row = await startJob();
      const [first, second] = [decisionOf(row), decisionOf(row)];
      expect(await store.decide(first)).toBe('decided');
      expect(await store.decide(second)).toBe('refused');
      expect((await read(row.job)).lastCompleted).toEqual({ epoch: 0, decisionId: first.decisionId });
    });

    it('of epoch 0 is refused when the job is past it, also when no row of it is left', async () => {
      const row = await startJob({ lastCompleted: { epoch: 5, decisionId: newId() } });
      expect(await store.decide(decisionOf(row, { epoch: 0, parentDecisionId: undefined }))).toBe('refused');
      expect(await read(row.job)).toEqual(row);
    });

    it('can name a blob as its manifest', async () => {
      const row = await startJob();
      const manifest = { at: 'blob', name: `${row.job}/manifest/0` } as const;
      expect(await store.decide(decisionOf(row, { manifest }))).toBe('decided');
      expect((await store.readEpoch(row.job, row.incarnation, 0))?.manifest).toEqual(manifest);
    });

    it('that is repeated with the same object is decided once', async () => {
      const row = await jobAt(0);
      const decision = decisionOf(row);
      const answers = await Promise.all(Array.from({ length: 10 }, () => store.decide(decision)));
      // Those that ran into each other know nothing; none of them was refused.
      expect(answers.filter((answer) => answer === 'refused')).toEqual([]);
      expect(await store.decide(decision)).toBe('decided');
      expect(await store.listEpochs(row.job, row.incarnation, -1)).toHaveLength(2);
      expect((await read(row.job)).lastCompleted).toEqual({ epoch: 1, decisionId: decision.decisionId });
    });

    it('that is repeated after the next one was decided changes nothing', async () => {
      const row = await jobAt(0);
      const first = decisionOf(row);
      expect(await store.decide(first)).toBe('decided');
      const second = decisionOf(await read(row.job));
      expect(await store.decide(second)).toBe('decided');
      await store.decide(first);
      expect((await read(row.job)).lastCompleted).toEqual({ epoch: 2, decisionId: second.decisionId });
    });

    it('of 50 concurrent coordinators with the same parent exactly one decides', async () => {
      const row = await jobAt(0);
      const decisions = Array.from({ length: 50 }, () => decisionOf(row));
      const answers = await Promise.all(decisions.map((decision) => store.decide(decision)));
      const decided = decisions.filter((_, index) => answers[index] === 'decided');
      expect(decided).toHaveLength(1);
      expect((await read(row.job)).lastCompleted?.decisionId).toBe(decided[0]?.decisionId);
      expect((await store.readEpoch(row.job, row.incarnation, 1))?.decisionId).toBe(decided[0]?.decisionId);
      // The others, asked again, are refused for good.
      const losers = decisions.filter((decision) => decision !== decided[0]);
      for (const loser of losers) expect(await store.decide(loser)).toBe('refused');
    });

    it('is refused for another parent, another incarnation, a missing parent, and an epoch that has a row', async () => {
      const row = await jobAt(2);
      const last = row.lastCompleted?.decisionId;
      const before = await read(row.job);
      const otherIncarnation = { ...row, incarnation: newId() };
      expect(await store.decide(decisionOf(row, { parentDecisionId: newId() }))).toBe('refused');
      expect(await store.decide(decisionOf(otherIncarnation))).toBe('refused');
      expect(await store.decide(decisionOf(row, { epoch: 0, parentDecisionId: undefined }))).toBe('refused');
      expect(await store.decide(decisionOf(row, { epoch: 2, parentDecisionId: last }))).toBe('refused');
      expect(await read(row.job)).toEqual(before);
      expect(await store.listEpochs(row.job, row.incarnation, -1)).toHaveLength(3);
      expect(await store.listEpochs(row.job, otherIncarnation.incarnation, -1)).toEqual([]);
    });

    it('that contradicts itself is thrown back', async () => {
      const row = await jobAt(0);
      const other: Decision['manifest'] = { at: 'row', manifest: manifestOf(row, 1, 'another decision', row.lastCompleted?.decisionId) };
      await expect(store.decide(decisionOf(row, { manifest: other }))).rejects.toThrow(/contradicts itself/);
      await expect(store.decide(decisionOf(row, { parentDecisionId: undefined }))).rejects.toThrow(/exactly epoch 0 has no parent/);
      expect((await read(row.job)).lastCompleted?.epoch).toBe(0);
    });

    it('holds a manifest of 350,000 bytes in its row and throws a larger one back, naming both sizes', async () => {
      const row = await startJob();
      const small = decisionOf(row);
      const padded = (bytes: number): Decision => {
        if (small.manifest.at !== 'row') throw new Error('the manifest is in the row');
        const manifest = { ...small.manifest.manifest, outputs: { pad: [[{ at: 'inline', base64: '' }]] } } satisfies Manifest;
        const padding = 'x'.repeat(bytes - JSON.stringify(manifest).length);
        return { ...small, manifest: { at: 'row', manifest: { ...manifest, outputs: { pad: [[{ at: 'inline', base64: padding }]] } } } };
      };
      await expect(store.decide(padded(350_001))).rejects.toThrow(/has 350001 bytes; a row holds 350000/);
      expect(await store.decide(padded(350_000))).toBe('decided');
      expect((await store.readEpoch(row.job, row.incarnation, 0))?.manifest).toEqual(padded(350_000).manifest);
    });
  });

  describe('epochs', () => {
    it('are listed oldest first, from the one after that is named, across pages', async () => {
      let row = await startJob();
      // Rows of 300 KB: DynamoDB cuts a page at 1 MB.
      for (let epoch = 0; epoch <= 5; epoch++) {
        const decision = decisionOf(row);
        if (decision.manifest.at !== 'row') throw new Error('the manifest is in the row');
        const outputs = { pad: [[{ at: 'inline' as const, base64: 'x'.repeat(300_000) }]] };
        expect(await store.decide({ ...decision, manifest: { at: 'row', manifest: { ...decision.manifest.manifest, outputs } } })).toBe(
          'decided',
        );
        row = await read(row.job);
      }
      const epochs = async (after: number) => (await store.listEpochs(row.job, row.incarnation, after)).map(({ epoch }) => epoch);
      expect(await epochs(-1)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await epochs(0)).toEqual([1, 2, 3, 4, 5]);
      expect(await epochs(4)).toEqual([5]);
      expect(await epochs(5)).toEqual([]);
    });

    it('of another incarnation are not listed', async () => {
      const row = await jobAt(1);
      expect(await store.listEpochs(row.job, newId(), 10)).toEqual([]);
      expect(await store.readEpoch(row.job, newId(), 1)).toBeUndefined();
    });

    it('are in the order of numbers, also past a digit', async () => {
      const row = await jobAt(11);
      expect((await store.listEpochs(row.job, row.incarnation, 7)).map(({ epoch }) => epoch)).toEqual([8, 9, 10, 11]);
    });
  });
}
