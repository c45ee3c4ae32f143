import { describe, expect, it } from 'vitest';
import type { Call } from '../kernel/faults.ts';
import { INPUT } from '../sim-job.ts';
import type { World } from '../world.ts';
import { at, ends, failedAttempts, plain, resolutions, story } from './story.ts';

/** Calls that change something in the table or the bucket. */
const WRITES = /^(?!readJob|readEpoch|listEpochs|listSavepoints|listIncarnations|get$|list$)/;

describe('an interval without input', () => {
  it('writes nothing to the table and the blob store but the renewal of the lease, and asks no function', async () => {
    // What is behind it: garbage of the last epoch is collected within two rounds.
    const calls: Call[] = [];
    const input = [plain(0, 0, 'ant #0'), plain(60_000, 0, 'bee #1')];
    const told = await story([], {
      input,
      settings: { leaseMs: 9_000 },
      faults: (call) => {
        if (call.atMs > 25_000 && call.atMs < 59_000) calls.push(call);
        return undefined;
      },
      faultsUntilMs: 60_000,
    });
    expect(ends(told)).toEqual(['stopped']);
    const writes = calls.filter(({ service, api }) => (service === 'table' || service === 'bucket') && WRITES.test(api));
    expect(new Set(writes.map(({ api }) => api))).toEqual(new Set(['renewLease']));
    // One in each third of the lease.
    expect(writes.length).toBeGreaterThanOrEqual(10);
    expect(writes.length).toBeLessThanOrEqual(13);
    expect(calls.filter(({ service }) => service === 'functions')).toEqual([]);
  });
});

describe('an interval with input', () => {
  it('begins when it is due, also when that moment passes while the coordinator looks what is due', async () => {
    const input = Array.from({ length: 100 }, (_, index) => plain(index * 100, index % 2, `ant #${index}`));
    const told = await story([], { input, lookMs: 0.4, settings: { checkpointIntervalMs: 300, idlePollMaxMs: 300 } });
    const lags = told.observed.flatMap((event) => (event.event === 'committed' ? [event.figures.lagMs ?? 0] : []));
    expect(lags.length).toBeGreaterThan(10);
    // The clock runs away from that of the records, a little at each look.
    const longer = lags.slice(1).map((lag, index) => lag - (lags[index] ?? 0));
    expect(Math.max(...longer)).toBeLessThan(200);
  });
});

describe('an attempt that takes long', () => {
  it('is said in the job row within 5 s, by one renewal of the lease; epochs that do not take long cost none', async () => {
    const said: { atMs: number; row: unknown }[] = [];
    const slow = at('invoke process', { nth: 3 });
    let slowFromMs = 0;
    let table: World['table'] | undefined;
    const told = await story(
      [
        {
          at: (call) => {
            // What the renewal before this call has said.
            if (call.api === 'renewLease') said.push({ atMs: call.atMs, row: undefined });
            const last = said.at(-1);
            if (last !== undefined && last.row === undefined && call.atMs > last.atMs) last.row = table?.row('job')?.underWay;
            return slow(call);
          },
          fault: { fault: 'slow', byMs: 8_000 },
          also: (world, call) => {
            slowFromMs = call.atMs;
            table = world.table;
          },
        },
      ],
      { settings: { leaseMs: 30_000, epochTimeoutMs: 20_000, recoveryTimeoutMs: 50_000, transactionTimeoutMs: 120_000 } },
    );
    expect(ends(told)).toEqual(['stopped']);
    expect(failedAttempts(told)).toBe(0);
    const beforeItEnded = said.filter(({ atMs }) => atMs < slowFromMs + 8_000);
    expect(beforeItEnded).toHaveLength(1);
    expect((beforeItEnded[0]?.atMs ?? 0) - slowFromMs).toBeLessThan(5_000);
    const begun = { read: { ms: expect.any(Number) }, count: { afterMs: expect.any(Number) } };
    expect(beforeItEnded[0]?.row).toMatchObject({
      attempts: [
        { epoch: 3, attempt: 1, phase: 'working', stages: begun },
        { epoch: 4, stages: { read: begun.read } },
      ],
      failed: [],
    });
  });
});

describe('wall clocks that are wrong', () => {
  const input = Array.from({ length: 80 }, (_, index) => plain(index * 100, index % 2, `ant #${index}`));
  const settings = { checkpointIntervalMs: 300, idlePollMaxMs: 300 };

  it.each([-60_000, 60_000])('leave the intervals of a coordinator as they are, when its clock steps by %i ms', async (byMs) => {
    const step = { at: at('decide', { nth: 5 }), fault: { fault: 'clock-step', byMs } as const };
    const told = await story([step], { input, settings });
    expect(ends(told)).toEqual(['stopped']);
    expect(failedAttempts(told)).toBe(0);
    expect(told.observed.filter(({ event }) => event === 'no-progress')).toEqual([]);
    // Eight seconds of input. After an interval that stands still, all that is left would be one epoch.
    expect(told.epochs).toBeGreaterThan(20);
  });

  it.each([-30_000, 30_000])('of functions, off by %i ms from the coordinator, refuse no work and cut none short', async (byMs) => {
    const off = { fault: 'clock-step', byMs } as const;
    const told = await story(
      [
        { at: at('fetch', { role: 'source' }), fault: off },
        { at: at('put', { role: 'operator' }), fault: off },
        { at: at('initProducerId', { role: 'sink' }), fault: off },
      ],
      { input, settings, parallelism: () => ({ read: 1, count: 1, write: 1 }) },
    );
    expect(ends(told)).toEqual(['stopped']);
    expect(failedAttempts(told)).toBe(0);
    expect(resolutions(told)).toEqual([]);
    expect(told.epochs).toBeGreaterThan(20);
  });
});

describe('epochs overlap', () => {
  it('source and operator stages work on later epochs while an earlier one is committed, up to the bound', async () => {
    const input = Array.from({ length: 12 }, (_, index) => plain(index * 200, index % 2, `ant #${index}`));
    const told = await story([{ at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'slow', byMs: 1_500 } }], {
      input,
      settings: { checkpointIntervalMs: 200, maxConcurrentEpochs: 3, idlePollMaxMs: 200 },
    });
    const order = told.observed.flatMap((event) => {
      if (event.event === 'stage-done') return [`${event.stage} ${event.epoch}`];
      return event.event === 'committed' ? [`committed ${event.epoch}`] : [];
    });
    const isBefore = (first: string, second: string) => order.indexOf(first) >= 0 && order.indexOf(first) < order.indexOf(second);
    for (const epoch of [3, 4]) for (const stage of ['read', 'count']) expect(isBefore(`${stage} ${epoch}`, 'committed 2')).toBe(true);
    expect(isBefore('read 5', 'committed 2')).toBe(false);
    expect(isBefore('committed 2', 'write 3')).toBe(true);
  });
});

describe('ONCEFLOW_ON_DATA_LOSS', () => {
  /** Retention deletes records while the job is stopped for a moment: what it has not read of partition 0. */
  const deleting = (world: World) => world.broker.partition(INPUT, 0)?.deleteRecords(3);
  const input = [plain(0, 0, 'ant #0'), plain(1_600, 0, 'bee #1', 'bee #2'), plain(1_600, 0, 'cow #3'), plain(1_600, 1, 'ant #4')];
  const lost = { at: at('decide', { nth: 2 }), also: (world: World) => void world.scheduler.at(1_700, undefined, () => deleting(world)) };

  it('earliest goes on at the beginning of what is left, says what is lost, and decides it once', async () => {
    const told = await story([lost], { input, settings: { onDataLoss: 'earliest', checkpointIntervalMs: 2_000, idlePollMaxMs: 2_000 } });
    const gaps = told.observed.filter(({ event }) => event === 'data-loss');
    expect(gaps).toEqual([expect.objectContaining({ topic: INPUT, partition: 0, from: 1, to: 3, count: 2 })]);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('stop fails the job with what is lost, and reads nothing', async () => {
    const told = await story([lost], {
      input,
      settings: { checkpointIntervalMs: 2_000, idlePollMaxMs: 2_000 },
      mayFail: /2 offsets were deleted before the job read them/,
    });
    expect(ends(told)).toEqual(['failed']);
    expect(told.epochs).toBe(2);
  });

  it('that finds nothing lost in the plan does not stop for a fetch that came too late: the epoch is planned again', async () => {
    const late = { at: at('fetch', { about: /input-0@1/ }), also: deleting };
    const told = await story([late], {
      input: [...input, plain(5_000, 0, 'bat #5')],
      settings: { onDataLoss: 'earliest', checkpointIntervalMs: 2_000, idlePollMaxMs: 2_000 },
    });
    expect(told.observed).toContainEqual(
      expect.objectContaining({
        event: 'attempt-failed',
        kind: 'transient',
        message: expect.stringContaining('offset 1: the broker no longer'),
      }),
    );
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'data-loss', from: 1, to: 3 }));
  });
});
