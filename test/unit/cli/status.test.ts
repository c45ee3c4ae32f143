import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../cli/command.ts';
import { epochsResult } from '../../../cli/commands/epochs.ts';
import { resumed } from '../../../cli/commands/resume.ts';
import { statusResult } from '../../../cli/commands/status.ts';
import type { Tools } from '../../../cli/tools.ts';
import { readToolConfig, requiredValue } from '../../../lib/config/read-config.ts';
import { epochsOf } from '../../../lib/inspect/epochs.ts';
import { type Lag, lagOf } from '../../../lib/inspect/lag.ts';
import { standingOf } from '../../../lib/inspect/standing.ts';
import { statusOf } from '../../../lib/inspect/status.ts';
import type { EpochRow, JobRow, UnderWay } from '../../../lib/ports/epoch-store.ts';
import { KafkaProblem, type KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import { epochRowOf, jobRowOf, manifestOf, NOW } from './rows.ts';
import { runCommand } from './run-command.ts';

const noLag: Lag = {
  known: true,
  of: [{ source: 'read', topic: 'lines', partition: 0, at: 5, end: 5, highWatermark: 5, lag: 0, heldUp: 0 }],
};

function printedOf(row: JobRow, last: EpochRow | undefined, lag: Lag, nowMs: number): CommandResult {
  return statusResult(statusOf(row, last, { manifest: { known: true, of: manifestOf(9) }, lag }, nowMs), nowMs);
}

describe('a job', () => {
  const over = { leaseExpiresAtMs: NOW };
  it.each<[string, Partial<JobRow>, number]>([
    ['running', {}, 0],
    ['stopping', { desired: 'stopped' }, 0],
    // A coordinator that took the job over by a revival has not cleared what an earlier one recorded.
    ['running', { failure: 'old' }, 0],
    ['stopped', { ...over, desired: 'stopped' }, 0],
    ['failed', { ...over, failure: 'no such topic' }, 4],
    ['failed', { ...over, failure: 'no such topic', desired: 'stopped' }, 4],
    ['dead', over, 5],
    ['dead', { leaseExpiresAtMs: 0 }, 5],
  ])('is %s when its row says %j, exit code %i', (standing, change, code) => {
    const row = jobRowOf(change);
    expect(standingOf(row, NOW)).toBe(standing);
    expect(printedOf(row, epochRowOf(9), noLag, NOW)).toMatchObject({ code, json: { standing } });
  });
});

describe('the status', () => {
  it('of a job that runs fits on a screen: holder, lease, epochs, lag', () => {
    const lag: Lag = {
      known: true,
      of: [
        { source: 'read', topic: 'lines', partition: 0, at: 10, end: 10, highWatermark: 10, lag: 0, heldUp: 0 },
        { source: 'read', topic: 'lines', partition: 1, at: 20, end: 1020, highWatermark: 1020, lag: 1000, heldUp: 0 },
      ],
    };
    expect(printedOf(jobRowOf(), epochRowOf(9), lag, NOW).text).toBe(
      [
        'job word-count: running',
        '  holder       generation 6, host-a process 123; lease: 12 s left',
        '  epochs       9 completed 2 s ago, not recorded as committed yet; 8 is',
        '  incarnation  inc',
        '  lag          1000 records (offsets) in 1 of 2 partitions',
        '',
        '  source  partition  at   end   lag',
        '  read    lines-0    10    10     0',
        '  read    lines-1    20  1020  1000',
      ].join('\n'),
    );
  });

  it('says of stages that have a range how many subtasks they have, since when, and why', () => {
    const since = { epoch: 7, atMs: NOW - 30_000, why: '900 records behind' };
    const scale = { read: { subtasks: 1, least: 1, most: 1 }, count: { subtasks: 4, least: 1, most: 8, since } };
    const rescale = { id: 'r', subtasks: { count: 6 }, askedAtMs: 1 };
    const { text, json } = printedOf(jobRowOf({ scale, rescale }), epochRowOf(9), noLag, NOW);
    expect(text).toContain(
      'count 4 of 1 to 8; 6 by hand (onceflow rescale count=auto takes it back); since epoch 7, 30 s ago: 900 records behind',
    );
    expect(text).not.toContain('read 1 of');
    expect(json).toMatchObject({ scale, rescale: { count: 6 } });
  });

  it('tells lag from what nobody can read yet, because a transaction is open in the topic', () => {
    const partition = { source: 'read', topic: 'lines', at: 10, end: 10, lag: 0 };
    const partitions = [
      { ...partition, partition: 0, highWatermark: 10, heldUp: 0 },
      { ...partition, partition: 1, highWatermark: 313, heldUp: 303 },
    ];
    const { text, json } = printedOf(jobRowOf(), epochRowOf(9), { known: true, of: partitions }, NOW);
    expect(text).toContain('  lag          none; 303 offsets more in lines-1 held up by a transaction that is open there\n');
    expect(json).toMatchObject({ lag: { records: 0, heldUp: 303 } });
  });

  it('of a job without progress says since when, how often it failed in a row and why, until another coordinator runs it', () => {
    const noProgress = { generation: 6, sinceMs: NOW - 125_000, failuresInARow: 12, lastError: 'epoch 10, stage count: Error: no' };
    const stalled = printedOf(jobRowOf({ noProgress }), undefined, noLag, NOW);
    expect(stalled.text).toContain(
      '  progress     none for 2 min 5 s (since 2026-01-02T03:02:00Z), though there is something to do; 12 failed attempts in a row, the last error:\n' +
        '               epoch 10, stage count: Error: no',
    );
    expect(stalled).toMatchObject({ code: 9, json: { standing: 'running', noProgress } });
    const succeeded = printedOf(jobRowOf({ noProgress, generation: 7 }), undefined, noLag, NOW);
    expect(succeeded).toMatchObject({ code: 0, json: { noProgress: null } });
    expect(printedOf(jobRowOf({ noProgress, leaseExpiresAtMs: 0 }), undefined, noLag, NOW)).toMatchObject({ code: 5 });
  });

  it('says of attempts that take long which stage is at work, and why the newest failed, in which input', () => {
    const input = [{ topic: 'lines', partition: 3, from: 42, bound: 44 }];
    const failure = { atMs: NOW - 30_000, epoch: 10, stage: 'count', kind: 'user-code', message: 'count: TypeError: no', input };
    const underWay: UnderWay = {
      ...{ generation: 6, atMs: NOW - 8_000, failed: [{ ...failure, message: 'an older one' }, failure] },
      attempts: [
        { epoch: 9, attempt: 1, plannedAtMs: NOW - 27_000, phase: 'committing', stages: { read: { afterMs: 4, ms: 9 } } },
        {
          epoch: 10,
          attempt: 3,
          plannedAtMs: NOW - 21_000,
          phase: 'working',
          stages: { read: { afterMs: 4, ms: 9 }, count: { afterMs: 13 } },
        },
        { epoch: 11, attempt: 1, plannedAtMs: NOW - 9_000, phase: 'working', stages: {} },
      ],
    };
    const { text, json, code } = printedOf(jobRowOf({ underWay }), epochRowOf(9), noLag, NOW);
    expect(text.split('\n').slice(1, 9)).toEqual([
      '  holder       generation 6, host-a process 123; lease: 12 s left',
      '  under way    epoch 9, planned 19 s before: committing',
      '               epoch 10, attempt 3, planned 13 s before: read took 9 ms, count at work for 13 s',
      '               epoch 11, planned 1 s before: no stage has begun',
      '               as the coordinator said 8 s ago',
      '  failed       epoch 10, count, 30 s ago, in lines-3 offset 42 and the 1 offset behind it:',
      '               count: TypeError: no',
      '  epochs       9 completed 2 s ago, not recorded as committed yet; 8 is',
    ]);
    expect({ json, code }).toMatchObject({ json: { underWay }, code: 0 });
    expect(printedOf(jobRowOf({ underWay, generation: 7 }), epochRowOf(9), noLag, NOW)).toMatchObject({ json: { underWay: null } });
  });

  it('of a job that has waited without a failure says that too', () => {
    const noProgress = { generation: 6, sinceMs: NOW - 70_000, failuresInARow: 0 };
    expect(printedOf(jobRowOf({ noProgress }), undefined, noLag, NOW).text).toContain(
      'none for 1 min 10 s (since 2026-01-02T03:02:55Z), though there is something to do; no attempt has failed',
    );
  });

  it('of a job that failed shows why, over several lines, and what to do', () => {
    const { text } = printedOf(jobRowOf({ leaseExpiresAtMs: 0, failure: 'no such topic\ncreate it' }), undefined, noLag, NOW);
    expect(text).toContain('job word-count: failed: mend the cause, then start it, or "onceflow resume"');
    expect(text).toContain('\n  failure      no such topic\n               create it\n');
    expect(text).toContain('none; the last was generation 6, host-a process 123, which gave up its lease');
  });

  it('of a job whose holder died says when its lease ran out', () => {
    const { text } = printedOf(jobRowOf({ leaseExpiresAtMs: NOW - 200_000 }), epochRowOf(9), noLag, NOW);
    expect(text).toContain('nobody runs it, though it is to run');
    expect(text).toContain('whose lease ran out 3 min 20 s ago (2026-01-02T03:00:45Z)');
  });

  it('of a job that has just been made has neither epochs nor lag', () => {
    const row = jobRowOf({ lastCompleted: undefined, lastCommitted: 0 });
    const { text, json } = printedOf(row, undefined, { known: false, why: 'none yet' }, NOW);
    expect(text).toMatch(/epochs +none yet\n.*\n +lag +unknown: none yet$/);
    expect(json).toMatchObject({ lastCompleted: null, lastCommitted: null, lag: null, lagUnknownBecause: 'none yet' });
  });

  it('shows the partitions with the largest lag when there are many, in their order', () => {
    const partitions = Array.from({ length: 40 }, (_, partition) => ({
      source: 'read',
      topic: 't',
      partition,
      at: 0,
      end: partition % 20,
      highWatermark: partition % 20,
      lag: partition % 20,
      heldUp: 0,
    }));
    const { text } = printedOf(jobRowOf(), epochRowOf(9), { known: true, of: partitions }, NOW);
    const shown = [...text.matchAll(/ t-(\d+) /g)].map(([, partition]) => Number(partition));
    expect(shown).toEqual([14, 15, 16, 17, 18, 19, 34, 35, 36, 37, 38, 39]);
    expect(text).toMatch(/and 28 partitions more with less lag$/);
  });
});

describe('the lag', () => {
  const toolsWith = (kafka: Tools['kafka']) => ({ kafka }) as Partial<Tools> as Tools;
  const last = { known: true, of: manifestOf(9) } as const;

  it('is what the last stable offsets are ahead of the manifest; new partitions count from their beginning', async () => {
    const kafka = {
      partitionCount: async () => 3,
      offsets: async (_topic: string, partitions: readonly number[], at: string) =>
        partitions.map((partition) => (at === 'earliest' ? 4 : at === 'end' ? 18 : 15 + partition)),
    } as Partial<KafkaRequests> as Awaited<ReturnType<Tools['kafka']>>;
    const of = (partition: number, at: number, end: number, lag: number, heldUp: number) => ({
      ...{ source: 'read', topic: 'lines', partition, at, end, highWatermark: 18, lag, heldUp },
    });
    expect(
      await lagOf(
        toolsWith(async () => kafka),
        last,
      ),
    ).toEqual({
      known: true,
      // The second is behind the manifest, as after a topic was made anew.
      of: [of(0, 10, 15, 5, 3), of(1, 20, 16, 0, 0), of(2, 4, 17, 13, 1)],
    });
  });

  it('is unknown, with the reason, when the brokers do not answer, are not configured, or there is no epoch', async () => {
    const down = toolsWith(async () => {
      throw new KafkaProblem('NO_ANSWER', 'the brokers are down', true);
    });
    expect(await lagOf(down, last)).toEqual({ known: false, why: 'the brokers are down' });
    const unset = toolsWith(async () => {
      requiredValue(readToolConfig({}), 'brokers');
      throw new Error('it is set');
    });
    expect(await lagOf(unset, last)).toEqual({ known: false, why: expect.stringContaining('ONCEFLOW_BROKERS: set it, e.g.') });
    const unread = { known: false, why: 'the job has not completed an epoch yet' } as const;
    expect(await lagOf(down, unread)).toEqual(unread);
  });

  it('does not hide a defect of its own', async () => {
    const broken = toolsWith(async () => {
      throw new TypeError('a defect');
    });
    await expect(lagOf(broken, last)).rejects.toThrow('a defect');
  });
});

describe('the epochs', () => {
  it('are retired, committed or decided, by the row of the job', () => {
    const rows = [epochRowOf(6), epochRowOf(7, { attempts: 3 }), epochRowOf(8), epochRowOf(9, { plannedAtMs: NOW - 2_250 })];
    const { text, json } = epochsResult(epochsOf(jobRowOf(), rows));
    expect(text.split('\n')).toEqual([
      'epoch  decided at              took  attempts  records in  records out  is',
      '    6  2026-01-02T03:04:03Z     1 s         1         100          700  retired',
      '    7  2026-01-02T03:04:03Z     1 s         3         100          700  committed',
      '    8  2026-01-02T03:04:03Z     1 s         1         100          700  committed',
      '    9  2026-01-02T03:04:03Z  250 ms         1         100          700  decided',
    ]);
    expect(json).toMatchObject({
      epochs: [{ epoch: 6, standing: 'retired' }, { attempts: 3 }, {}, { durationMs: 250, standing: 'decided' }],
    });
  });

  it('of a job that has none', () => {
    expect(epochsResult(epochsOf(jobRowOf(), []))).toMatchObject({ code: 0, text: 'job word-count has no epoch yet' });
  });
});

describe('a resumed job', () => {
  it.each([
    ['running', /runs: nothing to resume$/],
    ['stopping', /runs on, unless it has just ended/],
    ['stopped', /may run again, from epoch 9\. Start its coordinator/],
    ['dead', /is to run already, but nobody runs it\. It goes on from epoch 9/],
  ] as const)('that was %s says what that means and what to start', (standing, message) => {
    expect(resumed(jobRowOf(), standing)).toMatchObject({ code: 0, text: expect.stringMatching(message) });
  });

  it('that was deleted and made anew since it was looked at is left as it is: nobody has asked for that one', async () => {
    const rows = [jobRowOf(), jobRowOf({ incarnation: 'anew', desired: 'stopped', failure: 'no such topic' })];
    const asked: unknown[] = [];
    const tools = {
      epochs: {
        readJob: async () => rows.shift(),
        async setDesired(...of: unknown[]) {
          asked.push(of);
          return of[2] === undefined || of[2] === 'anew' ? 'written' : 'superseded';
        },
      },
    };
    expect(await runCommand(['resume'], tools)).toMatchObject({
      code: 8,
      text: expect.stringContaining('was deleted and made anew meanwhile'),
    });
    expect(asked).toEqual([['word-count', 'running', 'inc']]);
  });

  it('that failed says which failure was cleared', () => {
    expect(resumed(jobRowOf({ failure: 'no such topic' }), 'failed').text).toContain('its failure is cleared: no such topic');
  });
});
