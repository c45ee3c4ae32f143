import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { decisionOf, manifestOf, newId } from '../epoch-rows.ts';
import type { Tried } from './tried.ts';

/** An epoch is decided once, by one. */
export function decisionContract(tried: Tried): void {
  const { read, startJob, jobAt } = tried;

  describe('a decision', () => {
    it('creates the row of its epoch and moves the job row from the parent to it, with the lease and what is committed', async () => {
      const row = await jobAt(1);
      const decision = decisionOf(row);
      expect(await tried.store.decide(decision)).toBe('decided');
      expect(await read(row.job)).toEqual({
        ...row,
        lastCompleted: { epoch: 2, decisionId: decision.decisionId },
        lastCommitted: 1,
        leaseExpiresAtMs: decision.leaseExpiresAtMs,
      });
      const { epoch, decisionId, manifest, summary } = decision;
      expect(await tried.store.readEpoch(row.job, row.incarnation, 2)).toEqual({ epoch, decisionId, manifest, summary });
    });

    it('of epoch 0 has no parent, and there is only one of them', async () => {
      const row = await startJob();
      const [first, second] = [decisionOf(row), decisionOf(row)];
      expect(await tried.store.decide(first)).toBe('decided');
      expect(await tried.store.decide(second)).toBe('refused');
      expect((await read(row.job)).lastCompleted).toEqual({ epoch: 0, decisionId: first.decisionId });
    });

    it('of epoch 0 is refused when the job is past it, also when no row of it is left', async () => {
      const row = await startJob({ lastCompleted: { epoch: 5, decisionId: newId() } });
      expect(await tried.store.decide(decisionOf(row, { epoch: 0, parentDecisionId: undefined }))).toBe('refused');
      expect(await read(row.job)).toEqual(row);
    });

    it('can name a blob as its manifest', async () => {
      const row = await startJob();
      const manifest = { at: 'blob', name: `${row.job}/manifest/0` } as const;
      expect(await tried.store.decide(decisionOf(row, { manifest }))).toBe('decided');
      expect((await tried.store.readEpoch(row.job, row.incarnation, 0))?.manifest).toEqual(manifest);
    });

    it('that is repeated with the same object is decided once', async () => {
      const row = await jobAt(0);
      const decision = decisionOf(row);
      const answers = await Promise.all(Array.from({ length: 10 }, () => tried.store.decide(decision)));
      // Those that ran into each other know nothing; none of them was refused.
      expect(answers.filter((answer) => answer === 'refused')).toEqual([]);
      expect(await tried.store.decide(decision)).toBe('decided');
      expect(await tried.store.listEpochs(row.job, row.incarnation, -1)).toHaveLength(2);
      expect((await read(row.job)).lastCompleted).toEqual({ epoch: 1, decisionId: decision.decisionId });
    });

    it('that is repeated after the next one was decided changes nothing', async () => {
      const row = await jobAt(0);
      const first = decisionOf(row);
      expect(await tried.store.decide(first)).toBe('decided');
      const second = decisionOf(await read(row.job));
      expect(await tried.store.decide(second)).toBe('decided');
      await tried.store.decide(first);
      expect((await read(row.job)).lastCompleted).toEqual({ epoch: 2, decisionId: second.decisionId });
    });

    it('of 50 concurrent coordinators with the same parent exactly one decides', async () => {
      const row = await jobAt(0);
      const decisions = Array.from({ length: 50 }, () => decisionOf(row));
      const answers = await Promise.all(decisions.map((decision) => tried.store.decide(decision)));
      const decided = decisions.filter((_, index) => answers[index] === 'decided');
      expect(decided).toHaveLength(1);
      expect((await read(row.job)).lastCompleted?.decisionId).toBe(decided[0]?.decisionId);
      expect((await tried.store.readEpoch(row.job, row.incarnation, 1))?.decisionId).toBe(decided[0]?.decisionId);
      // The others, asked again, are refused for good.
      const losers = decisions.filter((decision) => decision !== decided[0]);
      for (const loser of losers) expect(await tried.store.decide(loser)).toBe('refused');
    });

    it('is refused for another parent, another incarnation, a missing parent, and an epoch that has a row', async () => {
      const row = await jobAt(2);
      const last = row.lastCompleted?.decisionId;
      const before = await read(row.job);
      const otherIncarnation = { ...row, incarnation: newId() };
      expect(await tried.store.decide(decisionOf(row, { parentDecisionId: newId() }))).toBe('refused');
      expect(await tried.store.decide(decisionOf(otherIncarnation))).toBe('refused');
      expect(await tried.store.decide(decisionOf(row, { epoch: 0, parentDecisionId: undefined }))).toBe('refused');
      expect(await tried.store.decide(decisionOf(row, { epoch: 2, parentDecisionId: last }))).toBe('refused');
      expect(await read(row.job)).toEqual(before);
      expect(await tried.store.listEpochs(row.job, row.incarnation, -1)).toHaveLength(3);
      expect(await tried.store.listEpochs(row.job, otherIncarnation.incarnation, -1)).toEqual([]);
    });

    it('that contradicts itself is thrown back', async () => {
      const row = await jobAt(0);
      const other: Decision['manifest'] = { at: 'row', manifest: manifestOf(row, 1, 'another decision', row.lastCompleted?.decisionId) };
      await expect(tried.store.decide(decisionOf(row, { manifest: other }))).rejects.toThrow(/contradicts itself/);
      await expect(tried.store.decide(decisionOf(row, { parentDecisionId: undefined }))).rejects.toThrow(/exactly epoch 0 has no parent/);
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
      await expect(tried.store.decide(padded(350_001))).rejects.toThrow(/has 350001 bytes; a row holds 350000/);
      expect(await tried.store.decide(padded(350_000))).toBe('decided');
      expect((await tried.store.readEpoch(row.job, row.incarnation, 0))?.manifest).toEqual(padded(350_000).manifest);
    });
  });
}
