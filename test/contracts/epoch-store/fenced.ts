import { describe, expect, it } from 'vitest';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { decisionOf, newId, newJobRow, poolOf } from '../epoch-rows.ts';
import type { Tried } from './tried.ts';

/** Who does not hold the generation any more writes nothing. */
export function fencedContract(tried: Tried): void {
  const { read, jobAt } = tried;

  describe('a fenced coordinator writes nothing', () => {
    const writes: Readonly<Record<string, (row: JobRow) => Promise<string>>> = {
      'recording the subtasks': ({ job, generation }) =>
        tried.store.recordScale(job, generation, { count: { subtasks: 9, least: 1, most: 9 } }),
      'recording its progress': ({ job, generation }) =>
        tried.store.recordNoProgress(job, generation, { generation, sinceMs: 5, failuresInARow: 3, lastError: 'no' }),
      'renewing its lease': ({ job, generation }) => tried.store.renewLease(job, generation, 99_000),
      'releasing its lease': ({ job, generation }) => tried.store.releaseLease(job, generation, { desired: 'stopped', failure: 'fenced' }),
      'widening the pool': ({ job, generation }) => tried.store.widenPool(job, generation, poolOf({ sink: 9 })),
      'recording what was sent again': ({ job, generation, lastCompleted }) =>
        tried.store.recordSentAgain(
          job,
          generation,
          { decisionId: lastCompleted?.decisionId ?? '', id: 'sent', committables: { at: 'row', list: [] } },
          undefined,
        ),
      'widening the pool to what it is': ({ job, generation, pool }) => tried.store.widenPool(job, generation, pool),
      'changing the fingerprint': ({ job, generation }) => tried.store.setFingerprint(job, generation, 'graph-9'),
      'recording a commit': ({ job, generation }) => tried.store.recordCommitted(job, generation, 2),
      'recording a commit that is recorded': ({ job, generation }) => tried.store.recordCommitted(job, generation, 0),
      'retiring an epoch': ({ job, generation }) => tried.store.retireThrough(job, generation, 1),
      'retiring an epoch that is retired': ({ job, generation }) => tried.store.retireThrough(job, generation, -1),
      'deciding the next epoch': (row) => tried.store.decide(decisionOf(row)),
    };

    it.each(Object.keys(writes))('when %s', async (name) => {
      const old = await jobAt(2);
      await tried.store.raiseGeneration(old.job, 'successor', 50_000);
      const before = { row: await read(old.job), epochs: await tried.store.listEpochs(old.job, old.incarnation, -1) };
      expect(await writes[name]?.(old)).toBe(name === 'deciding the next epoch' ? 'refused' : 'superseded');
      expect({ row: await read(old.job), epochs: await tried.store.listEpochs(old.job, old.incarnation, -1) }).toEqual(before);
    });

    it.each(Object.keys(writes))('nor one whose generation never was, when %s', async (name) => {
      const row = await jobAt(2);
      const epochs = await tried.store.listEpochs(row.job, row.incarnation, -1);
      expect(await writes[name]?.({ ...row, generation: 9 })).toBe(name === 'deciding the next epoch' ? 'refused' : 'superseded');
      expect(await read(row.job)).toEqual(row);
      expect(await tried.store.listEpochs(row.job, row.incarnation, -1)).toEqual(epochs);
    });

    it('nor one of a job that does not exist', async () => {
      const ghost = newJobRow({ lastCompleted: { epoch: 2, decisionId: newId() } });
      for (const [name, write] of Object.entries(writes)) {
        expect(await write(ghost), name).toBe(name === 'deciding the next epoch' ? 'refused' : 'superseded');
      }
      expect(await tried.store.readJob(ghost.job)).toBeUndefined();
      expect(await tried.store.listEpochs(ghost.job, ghost.incarnation, -1)).toEqual([]);
    });
  });
}
