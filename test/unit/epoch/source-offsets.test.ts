import { expect, it } from 'vitest';
import type { StartingOffsets } from '../../../lib/config/starting-offsets.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { withSourceOffsets } from '../../../lib/epoch/start/source-offsets.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { manifestOf } from '../cli/rows.ts';

const NEVER = new AbortController().signal;
const HOUR = 'timestamp:2026-01-01T08:00:00Z';

const manifest: Manifest = manifestOf(7, {
  offsets: { read: { lines: [500, 700] }, other: { there: [3] } },
  topicIds: { read: { lines: 'old' } },
  time: {
    processingMs: 9,
    sources: { read: { watermarkMs: 5, partitions: { lines: [{ watermarkMs: 5, activeMs: 1 }] } } },
    stages: { count: 4 },
  },
});

/** A cluster with the topics: `lines`, of three partitions, and `there`. */
function taken(point: StartingOffsets | undefined, topic = 'lines') {
  const asked: number[] = [];
  const kafka = {
    topicId: async (of: string) => `new-${of}`,
    partitionCount: async (of: string) => (of === topic ? 3 : 1),
    offsets: async (_of: string, partitions: readonly number[], end: string) => partitions.map(() => (end === 'earliest' ? 0 : 100)),
    offsetsAtTime: async (_of: string, partitions: readonly number[], timestampMs: number) => {
      asked.push(timestampMs);
      return partitions.map((partition) => (partition === 2 ? undefined : 10 + partition));
    },
  };
  const stage = (id: string, of: string) => ({ kind: 'source', id, topic: of, startingOffsets: 'latest' });
  const plan = { stages: [stage('read', topic), stage('other', 'there'), stage('new', 'fresh')] };
  const startAt = { at: { savepoint: 'kept' }, drop: [], onWrittenAgain: 'allow', ...(point !== undefined && { sourceOffsets: point }) };
  const deps = { kafka, clock: { elapsedMs: () => 0, sleep: async () => {} } } as unknown as CoordinatorDeps;
  const settings = { groupId: 'g', plan, startAt } as unknown as JobSettings;
  return { asked, manifest: withSourceOffsets(deps, settings, manifest, NEVER) };
}

it('leaves the offsets as they are unless others are asked for', async () => {
  expect(await taken(undefined).manifest).toBe(manifest);
});

it('takes the offsets of a time in the topics that are there now, behind the last where all is older, and keeps state and watermarks', async () => {
  const { asked, manifest: after } = taken(HOUR);
  const { offsets, topicIds, state, time } = await after;
  expect(offsets).toEqual({ read: { lines: [10, 11, 100] }, other: { there: [10] } });
  expect(topicIds).toEqual({ read: { lines: 'new-lines' }, other: { there: 'new-there' } });
  expect(state).toBe(manifest.state);
  // Partitions of another cluster are others: how far theirs has come they say themselves. Sources and stages do not go back.
  expect(time).toEqual({ processingMs: 9, sources: { read: { watermarkMs: 5, partitions: {} } }, stages: { count: 4 } });
  expect(new Set(asked)).toEqual(new Set([Date.parse('2026-01-01T08:00:00Z')]));
});

it('goes on in a topic of another name, as mirrors give it, and leaves a source that the epoch has not to its own setting', async () => {
  const { offsets } = await taken(HOUR, 'primary.lines').manifest;
  expect(offsets).toEqual({ read: { 'primary.lines': [10, 11, 100] }, other: { there: [10] } });
});

it('stops before anything is changed when the topics have no such point', async () => {
  await expect(taken('offsets:0=1,1=2').manifest).rejects.toThrow(
    new JobFailedError(
      'source read is to start in topic lines at offsets:0=1,1=2: that says nothing of partition 2: give the offsets, or add *=earliest or *=latest for the rest (--source-offsets, ONCEFLOW_START_SOURCE_OFFSETS)',
    ),
  );
});
