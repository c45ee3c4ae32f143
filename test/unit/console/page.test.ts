import { describe, expect, it } from 'vitest';
import { atWork } from '../../../console/page/at-work.ts';
import { ratesOf, standingOf, withNewer } from '../../../console/page/epochs.ts';
import { layoutOf } from '../../../console/page/layout.ts';
import { changesIn } from '../../../console/page/scale-changes.ts';
import { ticksIn, timelineOf } from '../../../console/page/timeline.ts';
import type { InspectedEpoch } from '../../../lib/inspect/epochs.ts';

const BEGIN = Date.UTC(2026, 0, 1);

/** Epoch n is planned n seconds after the begin, and decided 400 ms later. */
function epochOf(epoch: number, change: Partial<InspectedEpoch> = {}): InspectedEpoch {
  const plannedAtMs = BEGIN + epoch * 1_000;
  const times = { plannedAtMs, decidedAtMs: plannedAtMs + 400, durationMs: 400 };
  return { epoch, decisionId: `d${epoch}`, standing: 'committed', attempts: 1, recordsIn: 100, recordsOut: 300, ...times, ...change };
}

const shown = (epochs: readonly InspectedEpoch[], incarnation = 'inc') => ({ incarnation, epochs, lastCommitted: 8, retiredThrough: 3 });

describe('the epochs that the page knows', () => {
  it('are those from before and what came since, each as it was said last', () => {
    const before = withNewer(undefined, shown([epochOf(1), epochOf(2)]));
    const after = withNewer(before, shown([epochOf(2, { attempts: 2 }), epochOf(3)]));
    expect(after.epochs.map(({ epoch, attempts }) => [epoch, attempts])).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
    ]);
    expect(withNewer(after, shown([])).epochs).toEqual(after.epochs);
  });

  it('are those of one incarnation, and a thousand at most', () => {
    const before = withNewer(undefined, shown([epochOf(5)]));
    for (const epoch of [1, 7])
      expect(withNewer(before, shown([epochOf(epoch)], 'anew')).epochs.map((each) => each.epoch)).toEqual([epoch]);
    const many = Array.from({ length: 1_000 }, (_, epoch) => epochOf(epoch));
    expect(withNewer(withNewer(undefined, shown(many)), shown([epochOf(1_000)])).epochs).toHaveLength(1_000);
  });

  it('stand as the newest answer has it', () => {
    const known = shown([]);
    expect([3, 4, 8, 9].map((epoch) => standingOf(known, epoch))).toEqual(['retired', 'committed', 'committed', 'decided']);
  });
});

describe('rates', () => {
  const epochs = Array.from({ length: 20 }, (_, epoch) => epochOf(epoch, { edges: { 'a>b.0': 50 } }));

  it('are of the last ten seconds: an epoch of 100 records each second is 100 a second', () => {
    const { read, written, byEdge } = ratesOf(epochs, BEGIN + 19_400);
    expect(read).toBeCloseTo(100, 0);
    expect(written).toBeCloseTo(300, 0);
    expect(byEdge.get('a>b.0')).toBeCloseTo(50, 0);
  });

  it('go to nothing when no epoch comes any more, and are nothing of no epochs', () => {
    expect(ratesOf(epochs, BEGIN + 60_000).read).toBe(0);
    expect(ratesOf([], BEGIN).read).toBe(0);
    expect(ratesOf([epochOf(1)], BEGIN + 1_400).read).toBe(0);
  });
});

describe('the layout of the graph', () => {
  const stages = (...ids: string[]) =>
    ids.map((id) => ({
      id,
      kind: id.startsWith('s') ? ('source' as const) : id.startsWith('k') ? ('sink' as const) : ('operator' as const),
    }));

  it('puts each stage behind all that lead to it, and every sink into the last column', () => {
    const edges = [
      { from: 's', to: 'a' },
      { from: 'a', to: 'b' },
      { from: 's', to: 'b' },
      { from: 's', to: 'k1' },
      { from: 'b', to: 'k2' },
    ];
    const { places, columns } = layoutOf({ stages: stages('s', 'a', 'b', 'k1', 'k2'), edges });
    expect(Object.fromEntries([...places].map(([id, { column }]) => [id, column]))).toEqual({ s: 0, a: 1, b: 2, k1: 3, k2: 3 });
    expect(columns).toBe(4);
  });

  it('gives no two stages of a column one place, and few lines cross', () => {
    const ids = ['s1', 's2', 'a', 'b', 'k1', 'k2'];
    const edges = [
      { from: 's1', to: 'b' },
      { from: 's2', to: 'a' },
      { from: 'b', to: 'k1' },
      { from: 'a', to: 'k2' },
    ];
    const { places } = layoutOf({ stages: stages(...ids), edges });
    const row = (id: string) => places.get(id)?.row ?? -1;
    expect([row('b'), row('a')]).toEqual([row('s1'), row('s2')]);
    expect([row('k1'), row('k2')]).toEqual([row('s1'), row('s2')]);
    expect(new Set(['a', 'b'].map(row)).size).toBe(2);
  });

  it('draws stages of which the edges are not known in three columns, and a job without stages not at all', () => {
    const { places, columns } = layoutOf({ stages: stages('s', 'a', 'k'), edges: [] });
    expect([...places.values()].map(({ column }) => column)).toEqual([0, 1, 2]);
    expect(columns).toBe(3);
    expect(layoutOf({ stages: [], edges: [] }).places.size).toBe(0);
  });
});

describe('the timeline', () => {
  const stages = { read: { afterMs: 0, ms: 100 }, count: { afterMs: 100, ms: 200 } };

  it('has a bar for each stage where it worked, and for decision and commit, which the next epoch says', () => {
    const one = epochOf(1, { stages });
    const two = epochOf(2, { stages, before: { decisionMs: 5, commitMs: 20 } });
    const { lanes, bars } = timelineOf([one, two], ['read', 'count']);
    expect(lanes).toEqual(['read', 'count', 'decide', 'commit']);
    const [begin, decided] = [one.plannedAtMs, one.decidedAtMs];
    expect(bars.filter(({ epoch }) => epoch === 1)).toEqual([
      { lane: 'read', epoch: 1, fromMs: begin, toMs: begin + 100 },
      { lane: 'count', epoch: 1, fromMs: begin + 100, toMs: begin + 300 },
      { lane: 'decide', epoch: 1, fromMs: decided, toMs: decided + 5 },
      { lane: 'commit', epoch: 1, fromMs: decided + 5, toMs: decided + 25 },
    ]);
    expect(bars.filter(({ epoch }) => epoch === 2).map(({ lane }) => lane)).toEqual(['read', 'count']);
  });

  it('takes nothing from an epoch that is not the next one', () => {
    const later = epochOf(3, { stages, before: { decisionMs: 5, commitMs: 20 } });
    expect(timelineOf([epochOf(1, { stages }), later], []).lanes).toEqual(['read', 'count']);
  });

  it('of epochs of builds before has one bar each, and the first of a job, of nothing, none', () => {
    const { lanes, bars } = timelineOf([epochOf(0, { decidedAtMs: BEGIN }), epochOf(1)], ['read']);
    expect(lanes).toEqual(['epoch']);
    expect(bars).toEqual([{ lane: 'epoch', epoch: 1, fromMs: BEGIN + 1_000, toMs: BEGIN + 1_400 }]);
  });

  it('has whole ticks, five to ten', () => {
    expect(ticksIn(BEGIN + 300, 10_000).map((ms) => ms - BEGIN)).toEqual([2_000, 4_000, 6_000, 8_000, 10_000]);
    for (const span of [2_000, 60_000, 900_000]) expect(ticksIn(BEGIN, span).length).toBeLessThanOrEqual(10);
  });
});

describe('changes of subtasks', () => {
  const rescaled = [{ stage: 'count', from: 1, to: 4, why: 'a backlog of 30 s' }];

  it('are what the epochs say, the newest first, and the last of each stage where its epoch has gone', () => {
    const since = { epoch: 2, atMs: 5, why: 'asked for by hand' };
    const stages = [
      { stage: 'count', subtasks: 4, least: 1, most: 8, since: { epoch: 7, atMs: 9, why: 'a backlog of 30 s' } },
      { stage: 'write', subtasks: 2, least: 1, most: 8, since },
    ];
    expect(changesIn(stages, [epochOf(7, { rescaled })])).toEqual([
      { epoch: 7, atMs: BEGIN + 7_000, ...rescaled[0] },
      { epoch: 2, atMs: 5, stage: 'write', from: null, to: 2, why: 'asked for by hand' },
    ]);
  });
});

describe('the marks of stages in the drawing', () => {
  const stages = [
    { id: 'read', kind: 'source' },
    { id: 'count', kind: 'operator' },
    { id: 'write', kind: 'sink' },
  ] as const;
  const attempt = (epoch: number, phase: string, begun = {}, nth = 1) => ({
    epoch,
    attempt: nth,
    plannedAtMs: BEGIN,
    phase,
    stages: begun,
  });
  const marks = (...attempts: ReturnType<typeof attempt>[]) =>
    [...atWork({ generation: 6, atMs: BEGIN + 9_000, attempts, failed: [] }, stages)].map(([id, { mark, inWords }]) => [id, mark, inWords]);

  it('say which epoch a stage is at work on, and since when; those that are done, or have not begun, have none', () => {
    const begun = { read: { afterMs: 4, ms: 90 }, count: { afterMs: 5_100 } };
    expect(marks(attempt(8, 'working', begun, 3), attempt(9, 'working', { read: { afterMs: 6_000 } }))).toEqual([
      ['read', '◐ 9 since 00:00:06', 'at work on epoch 9 since 00:00:06 UTC'],
      ['count', '◐ 8 since 00:00:05', 'at work on epoch 8, attempt 3 since 00:00:05 UTC'],
    ]);
  });

  it('are at the sinks of an epoch that is being committed, and nowhere when nothing is under way', () => {
    expect(marks(attempt(8, 'committing', { write: { afterMs: 5, ms: 9 } }))).toEqual([['write', '◑ commits 8', 'commits epoch 8']]);
    expect(atWork(null, stages).size).toBe(0);
  });
});
