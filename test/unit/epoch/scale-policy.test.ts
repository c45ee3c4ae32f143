import { describe, expect, it } from 'vitest';
import {
  afterTooFew,
  afterTooMany,
  type EpochLoad,
  forgetArrivals,
  NO_MEMORY,
  type PolicyMemory,
  type PolicyRules,
  scaleByItself,
} from '../../../lib/epoch/scale/policy.ts';

const INTERVAL_MS = 1_000;
/** Of every stage, before it has read a record. */
const FIXED_MS = 60;
/** Records that a subtask works through in a millisecond. */
const PER_MS = { read: 20, count: 2, write: 10 };
type StageName = keyof typeof PER_MS;

const rules: PolicyRules = {
  stages: [
    { id: 'read', kind: 'source' },
    { id: 'count', kind: 'operator' },
    { id: 'write', kind: 'sink' },
  ],
  parallelism: { read: { least: 1, most: 16 }, count: { least: 1, most: 16 }, write: { least: 1, most: 16 } },
  byHand: new Set(),
  scaleUpBacklogMs: 10_000,
  scaleDownEpochs: 20,
  checkpointIntervalMs: INTERVAL_MS,
};

interface Told {
  readonly epoch: number;
  readonly atMs: number;
  readonly stage: string;
  readonly to: number;
}

/**
 * A job on paper: epochs one after the other, each takes what there is, but no more than its slowest stage can work through in most of the
 * interval (lib/epoch/planning/epoch-size.ts); the next epoch is planned before the one before it is committed.
 *
 * @param arriving records that come in a millisecond at that time
 * @param share of all records that one key has: its subtask is no faster than one
 */
function day(arriving: (atMs: number) => number, lastsMs: number, { share = 0, own = rules, noise = 0 } = {}) {
  const told: Told[] = [];
  const behindAt: { readonly atMs: number; readonly behind: number; readonly count: number; readonly epoch: number }[] = [];
  let memory: PolicyMemory = NO_MEMORY;
  let target: Record<string, number> = { read: 1, count: 1, write: 1 };
  let present = target;
  let behind = 0;
  let size = 2_000;
  let epoch = 0;
  let turn = 1;
  const random = () => {
    turn = (turn * 48_271) % 2_147_483_647;
    return turn / 2_147_483_647;
  };
  for (let atMs = 0; atMs < lastsMs; epoch++) {
    const records = Math.min(behind, size);
    const backlogLeft = behind > size;
    const stageMs = new Map(
      Object.entries(PER_MS).map(([stage, perMs]) => {
        const subtasks = present[stage] ?? 1;
        const widest = stage === 'count' ? Math.max(share, 1 / subtasks) : 1 / subtasks;
        return [stage, (FIXED_MS + (records * widest) / perMs) * (1 + noise * (random() - 0.5))];
      }),
    );
    const slowestMs = Math.max(...stageMs.values());
    const cycleMs = backlogLeft ? Math.max(slowestMs, 1) : INTERVAL_MS;
    const arrived = Math.round(arriving(atMs) * cycleMs);
    behind += arrived - records;
    atMs += cycleMs;
    const load: EpochLoad = {
      ...{ parallelism: present, stageMs, recordsIn: records, recordsBehind: behind, backlogLeft, cycleMs },
      partitions: new Map([['read', 8]]),
    };
    if (backlogLeft) size = Math.round(Math.min(size * 2, (size * 0.8 * INTERVAL_MS) / slowestMs));
    // The one that is planned already has the numbers of before.
    present = target;
    const scaled = scaleByItself(memory, load, target, own);
    memory = scaled.memory;
    for (const { stage, subtasks, why } of scaled.wanted) {
      expect(why).toMatch(/\d/);
      target = { ...target, [stage]: subtasks };
      told.push({ epoch, atMs, stage, to: subtasks });
    }
    behindAt.push({ atMs, behind, count: target['count'] ?? 1, epoch });
  }
  return { told, behindAt, target };
}

const HOUR_MS = 3_600_000;
const of = (told: readonly Told[], stage: StageName) => told.filter((each) => each.stage === stage);

describe('the numbers of subtasks that a job has by itself', () => {
  it('stay as they are under a load that they are enough for', () => {
    expect(day(() => 0.8, HOUR_MS).told).toEqual([]);
    expect(day(() => 0.8, HOUR_MS, { noise: 0.5 }).told).toEqual([]);
  });

  it('reach what a burst of fifty times the load takes within three epochs of its beginning, and fall again when it is over', () => {
    const burst = { fromMs: 600_000, toMs: 900_000 };
    const { told, behindAt } = day((atMs) => (atMs >= burst.fromMs && atMs < burst.toMs ? 25 : 0.5), HOUR_MS);
    const began = behindAt.find(({ atMs, behind }) => atMs >= burst.fromMs && behind > 2_000)?.epoch ?? 0;
    const ups = of(told, 'count').filter(({ to }) => to >= 13);
    expect(ups[0]?.epoch).toBeLessThanOrEqual(began + 3);
    expect(behindAt.findLast(({ atMs }) => atMs < burst.toMs)?.behind).toBeLessThan(25 * 10_000);
    expect(of(told, 'count').at(-1)?.to).toBe(1);
    expect(told.length).toBeLessThanOrEqual(14);
  });

  it('do not swing over a day of ramps, bursts and noise', () => {
    const arriving = (atMs: number) => {
      const hour = atMs / HOUR_MS;
      const wave = 8 * (1 + Math.sin((hour / 24) * 2 * Math.PI));
      const burst = Math.floor(hour * 2) % 7 === 0 && (hour * 2) % 1 < 0.2 ? 10 : 0;
      return 0.4 + wave + burst;
    };
    const { told, behindAt } = day(arriving, 24 * HOUR_MS, { noise: 0.3 });
    // Of the wave one way up and one down, and of each of seven bursts the same; by steps.
    expect(of(told, 'count').length).toBeLessThanOrEqual(60);
    const late = behindAt.filter(({ behind, atMs }) => behind > arriving(atMs) * 60_000);
    expect(late.length / behindAt.length).toBeLessThan(0.02);
  });

  it('do not rise again and again for one key that has most of the work: they have risen once, and it did not help', () => {
    const { told } = day((atMs) => (atMs > 60_000 && atMs < 1_200_000 ? 6 : 0.5), HOUR_MS, { share: 0.9 });
    expect(of(told, 'count').filter(({ to }) => to > 1).length).toBeLessThanOrEqual(2);
    expect(told.length).toBeLessThanOrEqual(8);
  });

  it('rise after attempts that failed for what they have left behind, and not as if all of it had come in one epoch', () => {
    const load: EpochLoad = {
      ...{ parallelism: { read: 1, count: 1, write: 1 }, stageMs: new Map([['count', 1_000]]), recordsIn: 1_000, recordsBehind: 59_000 },
      ...{ backlogLeft: true, cycleMs: 1_000, partitions: new Map([['read', 8]]) },
    };
    // Kept up; then the broker was away for two minutes, at 500 records a second.
    const kept: PolicyMemory = { ...NO_MEMORY, settled: 9, recordsBehind: 0, quiet: 9 };
    const wanted = (memory: PolicyMemory) =>
      scaleByItself(memory, load, load.parallelism, rules).wanted.find(({ stage }) => stage === 'count')?.subtasks;
    expect(wanted(forgetArrivals(kept))).toBe(7);
    expect(wanted(kept)).toBe(16);
  });

  it('rise half of the way to what was too many, until there is nothing in between; what no epoch has had says nothing of how much more help', () => {
    const one = { read: 1, count: 1, write: 1 };
    const load: EpochLoad = {
      ...{ parallelism: one, stageMs: new Map([['count', 1_000]]), recordsIn: 1_000, recordsBehind: 59_000 },
      ...{ backlogLeft: true, cycleMs: 1_000, partitions: new Map([['read', 8]]) },
    };
    const tries: (number | undefined)[] = [];
    let memory: PolicyMemory = { ...NO_MEMORY, settled: 9 };
    for (let round = 0; round < 5; round++) {
      const up = scaleByItself(memory, load, one, rules);
      const count = up.wanted.find(({ stage }) => stage === 'count')?.subtasks;
      tries.push(count);
      const tried = { ...one, count: count ?? 1 };
      const failed = [1, 2, 3].reduce((before) => afterTooMany(before, tried, one, rules).memory, up.memory);
      // The next epoch has the numbers of before, and is as fast as that was.
      memory = failed;
    }
    expect(tries).toEqual([7, 4, 2, undefined, undefined]);
    // Whatever was away then may be there again.
    const later = (settled: number) =>
      scaleByItself({ ...memory, settled }, load, one, rules).wanted.find(({ stage }) => stage === 'count')?.subtasks;
    expect([later(98), later(99)]).toEqual([undefined, 7]);
    // Somebody asked for more by hand, and epochs had them.
    const two = { ...load, parallelism: { ...one, count: 2 } };
    const up = scaleByItself({ ...NO_MEMORY, settled: 9, tooMany: { count: 2 } }, two, two.parallelism, rules);
    expect(up.wanted.find(({ stage }) => stage === 'count')?.subtasks).toBe(14);
  });

  it('are what they were when an attempt with fewer ran out of time, and are never so few again', () => {
    const [many, few] = [
      { read: 4, count: 8, write: 2 },
      { read: 4, count: 2, write: 2 },
    ];
    const { memory, wanted } = afterTooFew({ ...NO_MEMORY, settled: 9, quiet: 19 }, few, many, rules);
    expect(wanted).toEqual([{ stage: 'count', subtasks: 8, why: 'an epoch with 2 ran out of time, and with 8 one has not' }]);
    const load: EpochLoad = {
      ...{ parallelism: many, stageMs: new Map([['count', 50]]), recordsIn: 10, recordsBehind: 0, backlogLeft: false, cycleMs: 1_000 },
      partitions: new Map([['read', 8]]),
    };
    const down = (before: PolicyMemory) => scaleByItself(before, load, many, rules).wanted.find(({ stage }) => stage === 'count')?.subtasks;
    expect(down(memory)).toBe(3);
    // What was too many once, while the brokers were away say, is tried again when the job has kept up for long.
    expect(scaleByItself({ ...memory, tooMany: { count: 16 } }, load, many, rules).memory.tooMany).toEqual({});
    expect(scaleByItself({ ...memory, tooMany: { count: 16 }, quiet: 0 }, load, many, rules).memory.tooMany).toEqual({ count: 16 });
    expect(down({ ...memory, tooFew: {} })).toBe(1);
    expect(afterTooFew(NO_MEMORY, many, few, rules).wanted).toEqual([]);
    expect(afterTooFew(NO_MEMORY, few, many, { ...rules, byHand: new Set(['count']) }).wanted).toEqual([]);
    // A job that has other plain numbers than the build before keeps to them.
    const plain = { ...rules, parallelism: { ...rules.parallelism, count: { least: 2, most: 2 } } };
    expect(afterTooFew(NO_MEMORY, few, many, plain).wanted).toEqual([]);
  });

  it('rise once more when more of them have made the job faster, and not when they have not', () => {
    const load: EpochLoad = {
      ...{ parallelism: { read: 2, count: 2, write: 2 }, stageMs: new Map([['count', 1_000]]), recordsIn: 1_000, recordsBehind: 59_000 },
      ...{ backlogLeft: true, cycleMs: 1_000, partitions: new Map([['read', 8]]) },
    };
    const wanted = (rateBefore: number) =>
      scaleByItself({ ...NO_MEMORY, settled: 9, rateBefore }, load, load.parallelism, rules).wanted.map(({ stage }) => stage);
    expect([wanted(0.9), wanted(0.92)]).toEqual([['count'], []]);
  });

  it('are judged from the first epoch that has them: one of before counts for nothing', () => {
    const load: EpochLoad = {
      ...{ parallelism: { read: 2, count: 2, write: 2 }, stageMs: new Map([['count', 9]]), recordsIn: 9, recordsBehind: 4 },
      ...{ backlogLeft: false, cycleMs: 1_000, partitions: new Map([['read', 8]]) },
    };
    const memory: PolicyMemory = { ...NO_MEMORY, settled: 9, quiet: rules.scaleDownEpochs - 1, needed: { count: 7 }, rateBefore: 5 };
    expect(scaleByItself(memory, load, { ...load.parallelism, count: 3 }, rules)).toEqual({
      memory: { ...memory, settled: 0, recordsBehind: 4, quiet: 0, needed: {} },
      wanted: [],
    });
  });

  it('fall to what the epochs since a backlog have needed, whatever those before it did', () => {
    const parallelism = { read: 8, count: 8, write: 8 };
    const load = (ms: number, backlogLeft = false): EpochLoad => ({
      ...{ parallelism, stageMs: new Map([['count', ms]]), recordsIn: 100, recordsBehind: 0, backlogLeft, cycleMs: 1_000 },
      partitions: new Map([['read', 8]]),
    });
    // One that needs all of them, one that has left a little, and as many quiet ones as it takes.
    const epochs = [load(450), load(10, true), ...Array.from({ length: rules.scaleDownEpochs }, () => load(10))];
    let memory: PolicyMemory = { ...NO_MEMORY, settled: 9 };
    const told = epochs.map((each) => {
      const scaled = scaleByItself(memory, each, parallelism, rules);
      memory = scaled.memory;
      return scaled.wanted.find(({ stage }) => stage === 'count')?.subtasks;
    });
    expect(told).toEqual([...Array.from({ length: epochs.length - 1 }, () => undefined), 1]);
  });

  it('rise when one epoch took all there was, and took long for it', () => {
    const load: EpochLoad = {
      ...{ parallelism: { read: 1, count: 1, write: 1 }, recordsIn: 9_000, recordsBehind: 0, backlogLeft: false, cycleMs: 40_000 },
      stageMs: new Map([
        ['read', 3_000],
        ['count', 40_000],
        ['write', 900],
      ]),
      partitions: new Map([['read', 8]]),
    };
    expect(scaleByItself(NO_MEMORY, load, load.parallelism, rules).wanted).toEqual([
      {
        stage: 'count',
        subtasks: 5,
        why: '9000 records in one epoch, which take 40 s at 225 a second: more than 10 s; it took 40000 ms of an epoch',
      },
    ]);
  });

  it('are never those of a stage that a person has set, nor beyond the bounds, nor more sources than there are partitions', () => {
    const byHand = { ...rules, byHand: new Set(['count']) };
    expect(of(day(() => 25, HOUR_MS / 6, { own: byHand }).told, 'count')).toEqual([]);
    const { told } = day(() => 500, HOUR_MS / 6);
    expect(Math.max(...told.map(({ to }) => to))).toBe(16);
    expect(Math.max(0, ...of(told, 'read').map(({ to }) => to))).toBeLessThanOrEqual(8);
  });

  it('are left alone where the job is not to change them', () => {
    expect(day(() => 25, HOUR_MS / 6, { own: { ...rules, scaleUpBacklogMs: Number.POSITIVE_INFINITY } }).told).toEqual([]);
  });
});
