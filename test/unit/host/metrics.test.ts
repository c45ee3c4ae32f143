import { describe, expect, it } from 'vitest';
import { createMetrics, metricsLine } from '../../../host/metrics.ts';
import { type MetricName, metrics } from '../../../lib/config/metrics.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { figures } from '../epoch/figures.ts';

interface Line {
  readonly [name: string]: unknown;
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

/** Metrics on a clock that stands still until `pass`. */
function underTest() {
  let nowMs = 1_000_000;
  let behindMs = 0;
  const sleepers: { readonly atMs: number; readonly wake: () => void; readonly signal: AbortSignal | undefined }[] = [];
  const clock = {
    now: () => nowMs - behindMs,
    elapsedMs: () => nowMs - 1_000,
    sleep: (ms: number, signal?: AbortSignal) => new Promise<void>((wake) => sleepers.push({ atMs: nowMs + ms, wake, signal })),
  };
  const lines: Line[] = [];
  const tell = createMetrics({
    job: 'word-count',
    functionName: 'wc-coordinator',
    clock,
    write: (line) => lines.push(line as unknown as Line),
  });
  return {
    lines,
    tell: (...events: CoordinatorEvent[]) => events.forEach(tell),
    stepBack(ms: number) {
      behindMs += ms;
    },
    /** Lets time go by, a second at a time. */
    async pass(ms: number) {
      for (const endMs = nowMs + ms; nowMs < endMs; ) {
        nowMs = Math.min(nowMs + 1_000, endMs);
        for (const sleeper of sleepers.filter(({ atMs, signal }) => signal?.aborted === true || atMs <= nowMs)) {
          sleepers.splice(sleepers.indexOf(sleeper), 1);
          sleeper.wake();
        }
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      }
    },
  };
}

const committed = (epoch: number, change: Parameters<typeof figures>[0] = {}, republished = 0): CoordinatorEvent => ({
  event: 'committed',
  epoch,
  republished,
  ms: 25,
  figures: figures(change),
});
const failed: CoordinatorEvent = {
  event: 'attempt-failed',
  epoch: 1,
  stage: 's',
  kind: 'transient',
  message: 'm',
  failuresInARow: 1,
  retryInMs: 9,
};
const stalled = (forMs: number): CoordinatorEvent => ({
  event: 'no-progress',
  sinceMs: 0,
  forMs,
  failuresInARow: 0,
  lastError: undefined,
});
const ended = (end: string): CoordinatorEvent => ({ event: 'ended', end, message: '' });
const namesOf = (line: Line | undefined) => line?._aws.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name) ?? [];

describe('a committed epoch', () => {
  it('is one line with its time by phase, lag, records, bytes and state, kept by job and function', () => {
    const { tell, lines } = underTest();
    tell(committed(7));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      Job: 'word-count',
      FunctionName: 'wc-coordinator',
      epoch: 7,
      EpochsCommitted: 1,
      EpochTime: 420,
      SourceTime: 20,
      OperatorTime: 30,
      SinkTime: 40,
      DecisionTime: 10,
      CommitTime: 25,
      EndToEndLag: 900,
      RecordsBehind: 0,
      RecordsIn: 3,
      RecordsOut: 5,
      BytesIn: 120,
      StateBytes: 4_096,
    });
  });

  it('without input has no lag, and a job without operators no time of them', () => {
    const { tell, lines } = underTest();
    tell(committed(7, { lagMs: undefined, operatorMs: undefined }));
    expect(namesOf(lines[0])).not.toContain('EndToEndLag');
    expect(namesOf(lines[0])).not.toContain('OperatorTime');
  });

  it('says nothing of failures when there were none: what has no value costs nothing', () => {
    const { tell, lines } = underTest();
    tell(committed(7));
    for (const name of [
      'FailedAttempts',
      'DoubtfulCommits',
      'RepublishedTransactions',
      'DeadLetters',
      'LateDropped',
      'LatePassedOn',
      'ThrottledCalls',
      'NoProgress',
      'JobFailed',
    ])
      expect(namesOf(lines[0])).not.toContain(name);
  });

  it('takes with it what happened since the last line', () => {
    const { tell, lines } = underTest();
    tell({ event: 'recovered', epoch: 6, committed: 1, republished: 1, settledIds: 2 });
    tell({ event: 'dead-lettered', epoch: 7, records: 2 }, { event: 'dead-lettered', epoch: 8, records: 1 });
    tell(
      { event: 'doubtful', epoch: 7, names: { transactionalId: 't' }, resolution: 'republished' },
      { event: 'throttled', function: 'wc-sink' },
    );
    tell(
      { event: 'late', epoch: 7, dropped: 4, passedOn: 0, operators: {} },
      { event: 'late', epoch: 8, dropped: 1, passedOn: 6, operators: {} },
    );
    tell(committed(8, {}, 2));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ DeadLetters: 3, DoubtfulCommits: 1, RepublishedTransactions: 3, ThrottledCalls: 1 });
    expect(lines[0]).toMatchObject({ LateDropped: 5, LatePassedOn: 6 });
  });
});

describe('many epochs within a second', () => {
  it('are one line, counts added up and the other values in a list', async () => {
    const { tell, lines, pass } = underTest();
    tell(committed(1), committed(2, { epochMs: 100 }), committed(3, { epochMs: 300 }));
    expect(lines).toHaveLength(1);
    await pass(1_000);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ epoch: 3, EpochsCommitted: 2, RecordsIn: 6, EpochTime: [100, 300], SourceTime: [20, 20] });
    await pass(10_000);
    expect(lines).toHaveLength(2);
  });

  it('do not wait longer when the wall clock steps back', async () => {
    const { tell, lines, pass, stepBack } = underTest();
    tell(committed(1));
    stepBack(3_600_000);
    tell(committed(2));
    await pass(1_000);
    expect(lines).toHaveLength(2);
  });

  it('never make a list longer than the format takes', () => {
    const { tell, lines } = underTest();
    for (let epoch = 0; epoch < 350; epoch++) tell(committed(epoch));
    tell(ended('stopped'));
    const lengths = lines.map(({ EpochTime }) => (Array.isArray(EpochTime) ? EpochTime.length : 1));
    expect(Math.max(...lengths)).toBe(100);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(350);
    expect(lines).toHaveLength(5);
  });
});

describe('a lag', () => {
  it('that grows is told as growth, from epoch to epoch', async () => {
    const { tell, lines, pass } = underTest();
    tell(committed(1, { recordsBehind: 100 }));
    await pass(1_000);
    tell(committed(2, { recordsBehind: 140 }));
    await pass(1_000);
    tell(committed(3, { recordsBehind: 90 }));
    expect(lines.map(({ RecordsBehind, LagGrowth }) => [RecordsBehind, LagGrowth])).toEqual([
      [100, undefined],
      [140, 40],
      [90, -50],
    ]);
  });
});

describe('failed attempts', () => {
  it('are told though no epoch is committed, in at most one line a second', async () => {
    const { tell, lines, pass } = underTest();
    tell(failed, failed, failed);
    await pass(1_000);
    expect(lines.map(({ FailedAttempts }) => FailedAttempts)).toEqual([1, 2]);
  });
});

describe('a job without progress', () => {
  it('says each minute for how long already', async () => {
    const { tell, lines, pass } = underTest();
    tell(stalled(20_000));
    await pass(150_000);
    expect(lines.map(({ NoProgress }) => NoProgress)).toEqual([20_000, 80_000, 140_000]);
  });

  it('says it once a minute also when it is told so again', async () => {
    const { tell, lines, pass } = underTest();
    tell(stalled(20_000));
    await pass(20_000);
    tell(stalled(40_000));
    await pass(100_000);
    expect(lines.map(({ NoProgress }) => NoProgress)).toEqual([20_000, 40_000, 100_000]);
  });

  it.each<[string, CoordinatorEvent]>([
    ['there is progress', { event: 'progress-again', afterMs: 1 }],
    ['an epoch is committed', committed(1)],
    ['the coordinator ends', ended('handed-over')],
  ])('says no more when %s', async (_what, event) => {
    const { tell, lines, pass } = underTest();
    tell(stalled(20_000), event);
    await pass(300_000);
    expect(lines.flatMap(({ NoProgress }) => NoProgress ?? [])).toEqual([20_000]);
  });
});

describe('the end of a coordinator', () => {
  it('leaves nothing waiting, and writes nothing when nothing waits', async () => {
    const { tell, lines, pass } = underTest();
    tell(committed(1), committed(2), ended('handed-over'));
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2]);
    tell(ended('handed-over'));
    await pass(5_000);
    expect(lines).toHaveLength(2);
  });

  it('is a failed job when it failed, and not otherwise', () => {
    const { tell, lines } = underTest();
    tell(committed(1), ended('stopped'), ended('superseded'), ended('refused'));
    expect(lines.filter((line) => 'JobFailed' in line)).toHaveLength(0);
    tell(ended('failed'));
    expect(lines.at(-1)).toMatchObject({ JobFailed: 1 });
  });

  it('is remembered by each tick that finds the job failed', () => {
    const { tell, lines } = underTest();
    tell({ event: 'still-failed', message: 'no such topic' });
    expect(lines).toEqual([expect.objectContaining({ JobFailed: 1 })]);
  });
});

describe('a line', () => {
  const everything = new Map(Object.keys(metrics).map((name) => [name as MetricName, [1, 2]]));
  const line = metricsLine(everything, { Job: 'j', FunctionName: 'f' }, 1_700_000_000_123) as unknown as Line;

  it("keeps to CloudWatch's embedded metric format", () => {
    expect(line._aws.Timestamp).toBe(1_700_000_000_123);
    const [directive, ...others] = line._aws.CloudWatchMetrics;
    expect(others).toEqual([]);
    expect(directive?.Namespace).toMatch(/^[A-Za-z0-9._/#:-]{1,256}$/);
    expect(directive?.Metrics.length).toBeLessThanOrEqual(100);
    for (const dimension of directive?.Dimensions.flat() ?? []) expect(line[dimension]).toEqual(expect.any(String));
    for (const { Name, Unit } of directive?.Metrics ?? []) {
      expect(['Count', 'Milliseconds', 'Bytes']).toContain(Unit);
      expect(line[Name]).toEqual([1, 2]);
    }
  });

  it('has the units of the table, and no metric that is not in it', () => {
    const told = line._aws.CloudWatchMetrics[0]?.Metrics;
    expect(told).toEqual(Object.entries(metrics).map(([Name, { unit }]) => ({ Name, Unit: unit })));
  });
});

describe('the table', () => {
  it('names nothing that no event emits', () => {
    const { tell, lines } = underTest();
    tell(failed, stalled(0), committed(1, { recordsBehind: 1 }, 1), committed(2));
    tell({ event: 'dead-lettered', epoch: 1, records: 1 }, { event: 'throttled', function: 'f' }, { event: 'held-up', records: 1 });
    tell({ event: 'late', epoch: 1, dropped: 1, passedOn: 1, operators: {} });
    tell({ event: 'doubtful', epoch: 1, names: { transactionalId: 't' }, resolution: 'committed' }, ended('failed'));
    expect(new Set(lines.flatMap(namesOf))).toEqual(new Set(Object.keys(metrics)));
  });
});

it('what is held up behind open transactions of upstream is told without an epoch', async () => {
  const { lines, tell, pass } = underTest();
  tell({ event: 'held-up', records: 303 });
  await pass(30_000);
  tell({ event: 'held-up', records: 310 });
  expect(lines.map(({ RecordsHeldUp }) => RecordsHeldUp)).toEqual([303, 310]);
});
