import { describe, expect, it } from 'vitest';
import { statusResult } from '../../../cli/commands/status.ts';
import { readStatus, statusOf } from '../../../lib/inspect/status.ts';
import { timeIn } from '../../../lib/inspect/time.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import type { Time } from '../../../lib/protocol/event-time.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import { epochRowOf, jobRowOf, manifestOf, NOW } from './rows.ts';

const EPOCH_MS = NOW - 3_000;

const snapshot = (first: number, due?: { eventMs?: number; processingMs?: number }) => ({
  id: `s${first}`,
  keyGroups: { first, last: first + 63 },
  deltas: [],
  due,
});

/** Of three partitions the last is idle, the first holds the second back. */
const time: Time = {
  processingMs: EPOCH_MS,
  sources: {
    read: {
      watermarkMs: NOW - 10_001,
      idleAfterMs: 60_000,
      partitions: {
        lines: [
          { watermarkMs: NOW - 10_001, activeMs: EPOCH_MS },
          { watermarkMs: NOW - 8_001, activeMs: EPOCH_MS - 59_999 },
          { watermarkMs: NOW - 90_001, activeMs: EPOCH_MS - 60_000 },
        ],
      },
    },
  },
  stages: { count: NOW - 10_001 },
  late: { count: { dropped: 12, passedOn: 0 }, order: { dropped: 0, passedOn: 1 } },
};
const state = {
  count: [snapshot(0, { eventMs: NOW + 9_999 }), snapshot(64, { eventMs: NOW - 1, processingMs: NOW + 3_600_000 })],
  order: [snapshot(0)],
  remind: [snapshot(0, { processingMs: NOW - 4_000 })],
};

function printed(change: Partial<Manifest>) {
  const manifest = { known: true, of: manifestOf(9, change) } as const;
  return statusResult(statusOf(jobRowOf(), epochRowOf(9), { manifest, lag: { known: true, of: [] } }, NOW), NOW);
}

describe('the time of a job', () => {
  it('is shown by stage, by partition and by operator: who holds back, who is idle, what is due, what was late', () => {
    expect(printed({ time, state }).text.split('\n').slice(4)).toEqual([
      '  lag          none',
      '  time         2026-01-02T03:04:02.000Z in the last epoch, 3 s ago',
      '  late         count: 12 values dropped',
      '               order: 1 value given to its late stream',
      '',
      '  stage  watermark',
      '  count  2026-01-02T03:03:54.999Z',
      '',
      '  source  partition  watermark',
      '  read    lines-0    2026-01-02T03:03:54.999Z  holds the others back',
      '  read    lines-1    2026-01-02T03:03:56.999Z',
      '  read    lines-2    2026-01-02T03:02:34.999Z  idle for 1 min 0 s',
      '',
      '  operator  waits for event time      for processing time',
      '  count     2026-01-02T03:04:04.999Z  2026-01-02T04:04:05.000Z, in 1 h 0 min',
      '  remind    -                         2026-01-02T03:04:01.000Z, due',
    ]);
  });

  it('is data in the JSON, with null for what there is not yet', () => {
    const fresh: Time = { processingMs: 5, sources: { read: { partitions: { lines: [{ activeMs: 5 }] } } }, stages: {} };
    expect(printed({ time: fresh, state: {} }).json).toMatchObject({
      time: {
        processingMs: 5,
        stages: [],
        sources: [
          {
            source: 'read',
            watermarkMs: null,
            partitions: [{ topic: 'lines', partition: 0, watermarkMs: null, activeMs: 5, standing: 'holds-back' }],
          },
        ],
        due: [],
        late: [],
      },
    });
  });

  it('is not shown of a job that uses none', () => {
    const { text, json } = printed({ state });
    expect(json).toMatchObject({ time: null });
    expect(text).not.toMatch(/time|watermark|late/);
  });

  it('is shown when the brokers do not answer', async () => {
    const row = epochRowOf(9);
    const status = await readStatus({
      job: 'word-count',
      epochs: {
        readJob: async () => jobRowOf(),
        readEpoch: async () => ({ ...row, manifest: { at: 'row', manifest: manifestOf(9, { time }) } }),
      },
      clock: { now: () => NOW },
      kafka: async () => {
        throw new KafkaProblem('NO_ANSWER', 'the brokers are down', true);
      },
    } as unknown as Parameters<typeof readStatus>[0]);
    expect(status).toMatchObject({ lag: null, lagUnknownBecause: 'the brokers are down', time: { processingMs: EPOCH_MS } });
  });

  it('of a time that no date has is its number', () => {
    expect(printed({ time: { ...time, stages: { count: Number.MAX_SAFE_INTEGER } } }).text).toContain('count  9007199254740991 ms');
  });

  it('of many partitions is that of those that have come least far', () => {
    const partitions = Array.from({ length: 40 }, (_, n) => ({ watermarkMs: (n * 7) % 40, activeMs: n % 4 === 0 ? 0 : EPOCH_MS }));
    const { text } = printed({
      time: { ...time, sources: { read: { idleAfterMs: 1_000, partitions: { lines: partitions } } } },
      state: {},
    });
    expect([...text.matchAll(/lines-(\d+)/g)].map(([, n]) => (Number(n) * 7) % 40).sort((one, other) => one - other)).toEqual([
      1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15,
    ]);
    expect(text).toMatch(/and 28 partitions more that are idle or have come further$/);
  });
});

describe('a partition', () => {
  const standings = (...partitions: (readonly [watermarkMs: number | undefined, activeMs: number])[]) => {
    const lines = partitions.map(([watermarkMs, activeMs]) => ({ watermarkMs, activeMs }));
    const of: Time = { processingMs: 100, sources: { read: { idleAfterMs: 50, partitions: { lines } } }, stages: {} };
    return timeIn({ time: of, state: {} })?.sources[0]?.partitions.map(({ standing }) => standing);
  };

  it('holds back when it has come least far of those that are not idle, and another has come further', () => {
    expect(standings([7, 100], [8, 100], [7, 100])).toEqual(['holds-back', 'active', 'holds-back']);
    expect(standings([7, 100], [7, 100])).toEqual(['active', 'active']);
    expect(standings([7, 100], [9, 50])).toEqual(['active', 'idle']);
    expect(standings([3, 50], [7, 51], [8, 100])).toEqual(['idle', 'holds-back', 'active']);
  });

  it('without a watermark holds back until it is idle', () => {
    expect(standings([undefined, 100], [8, 100])).toEqual(['holds-back', 'active']);
    expect(standings([undefined, 50], [8, 100])).toEqual(['idle', 'active']);
  });
});
