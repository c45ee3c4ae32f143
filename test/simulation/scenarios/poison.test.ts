import { describe, expect, it } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { Call } from '../kernel/faults.ts';
import { INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless } from '../user-code.ts';
import type { World } from '../world.ts';
import type { Outcome, WorldOptions } from '../world-options.ts';
import { at, ends, jobNamed, plain, story } from './story.ts';

const input = [
  plain(0, 0, 'ant #0', 'bee #1', 'cow #2', 'auk #3'),
  plain(0, 1, 'ant #4', 'bee #5', 'cow #6', 'auk #7'),
  plain(3_000, 0, 'ant bee #8'),
];
const withWord = (word: string) => [...input, plain(100, 1, `bat ${word} #9`, 'cat #10')];

/** A coordinator of a given number leaves poison out, or stops for it, after two failures alone. */
function poisoned(word: string, leavesOut: (coordinator: number) => boolean = () => true): Partial<WorldOptions> {
  return { input: withWord(word), settings: { poisonAttempts: 2 }, userCode: { chance: 0, leavesOut } };
}

function eventsOf<Name extends CoordinatorEvent['event']>(told: Outcome, name: Name): Extract<CoordinatorEvent, { event: Name }>[] {
  return told.observed.filter((event): event is Extract<CoordinatorEvent, { event: Name }> => event.event === name);
}

const dead = (told: Outcome) => eventsOf(told, 'dead-lettered').reduce((sum, { records }) => sum + records, 0);

describe('a record that user code fails at', () => {
  it.each(['p0', 'q0'])('always (%s) is left out, alone and once, and everything else is processed', async (word) => {
    const told = await story([], poisoned(word));
    expect(eventsOf(told, 'leaves-out')).toEqual([
      expect.objectContaining({
        topic: 'input',
        partition: 1,
        offset: 4,
        reason: expect.objectContaining({ attempts: 2, errorClass: 'RangeError' }),
      }),
    ]);
    expect(dead(told)).toBe(1);
    expect(ends(told)).toEqual(['stopped']);
  });

  it.each(['p0', 'q0'])('always (%s) stops the job, which names it; mended, the job goes on and leaves nothing out', async (word) => {
    const told = await story(
      [],
      poisoned(word, () => false),
    );
    expect(told.ends).toEqual([
      expect.objectContaining({
        end: 'failed',
        message: expect.stringMatching(
          /^topic input, partition 1, offset 4: this record alone failed 2 times in a row in .*RangeError: .*\n\s+at /s,
        ),
      }),
      expect.objectContaining({ end: 'stopped' }),
    ]);
    expect(dead(told)).toBe(0);
  });

  it.each(['r1x', 's1x'])('once (%s) is processed at the next attempt, which has its full size', async (word) => {
    const told = await story([], poisoned(word));
    expect(dead(told)).toBe(0);
    expect(eventsOf(told, 'attempt-failed')).toHaveLength(1);
  });

  it('in the second of two keyed stages is found as well', async () => {
    const told = await story([], { ...poisoned('q0'), job: jobNamed('two-counts') });
    expect(dead(told)).toBe(1);
  });

  it('in a job of several sinks is missing in all of them', async () => {
    const told = await story([], { ...poisoned('q0'), job: jobNamed('two-sinks') });
    expect(dead(told)).toBe(1);
  });
});

describe('a search whose suspects are deleted before they were read', () => {
  it('is over with the gap: what comes after is read', async () => {
    const deletes = (world: World) => {
      const partition = world.broker.partition(INPUT, 1);
      partition?.deleteRecords(partition.end);
    };
    const told = await story(
      // The third attempt is the first with half of them.
      [{ at: at('invoke read', { about: /epoch 2/, nth: 3 }), also: deletes }],
      {
        input: [plain(0, 0, 'ant #0'), plain(1_000, 1, 'bee #1', 'cow p0 #2', 'auk #3', 'bat #4'), plain(8_000, 1, 'cat #5')],
        settings: { poisonAttempts: 2, onDataLoss: 'earliest' },
        userCode: { chance: 0, leavesOut: () => true },
      },
    );
    expect(eventsOf(told, 'data-loss')).toHaveLength(1);
    expect(ends(told)).toEqual(['stopped']);
    expect(told.epochs).toBeLessThan(10);
  });
});

describe('a record that an exchange cannot carry', () => {
  /** The word count whose words an operator reads through a serde that fails at some of them, as the operator would. */
  const strict: SimJob = {
    ...jobNamed('word-count'),
    define: (_build, startingOffsets, code = faultless) => {
      const read = (...from: Parameters<typeof utf8.read>) => {
        const word = utf8.read(...from);
        code.check('operator', word);
        return word;
      };
      return defineJob(JOB, (job) => {
        job
          .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
          .flatMap((line) => line.split(' ').filter((word) => !word.startsWith('#')))
          .keyBy(() => 'one', utf8, { value: { ...utf8, name: 'strict', read } })
          .process('count', {
            state: { count: valueState(int64, 0) },
            onRecord: (_word, { count }, out: Output<string>) => out.emit(`one:::${count.update((n) => n + 1)}`),
          })
          .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      });
    },
  };

  it('is named and left out, and everything else is processed: it is no passing failure', async () => {
    const told = await story([], { ...poisoned('q0'), job: strict });
    expect(eventsOf(told, 'leaves-out')).toEqual([expect.objectContaining({ topic: 'input', partition: 1, offset: 4 })]);
    expect(dead(told)).toBe(1);
    expect(new Set(eventsOf(told, 'attempt-failed').map(({ kind }) => kind))).toEqual(new Set(['user-code']));
  });

  it('stops the job, which names it, where records are not left out', async () => {
    const told = await story([], { ...poisoned('q0', () => false), job: strict });
    expect(told.ends[0]).toMatchObject({
      end: 'failed',
      message: expect.stringMatching(
        /^topic input, partition 1, offset 4: this record alone failed 2 times in a row in count.*serde strict cannot read/,
      ),
    });
  });
});

describe('a record that the serde cannot read', () => {
  it('is left out in the attempt that meets it, whatever is read beside it', async () => {
    const told = await story([], poisoned('u0'));
    expect(eventsOf(told, 'attempt-failed')).toEqual([]);
    expect(dead(told)).toBe(1);
  });

  it('stops the job at once when records are not left out', async () => {
    const told = await story(
      [],
      poisoned('u0', () => false),
    );
    expect(told.ends[0]).toMatchObject({
      end: 'failed',
      message: expect.stringContaining('topic input, partition 1, offset 4: source read cannot read'),
    });
    expect(eventsOf(told, 'attempt-failed')).toEqual([]);
  });
});

describe('a dead letter', () => {
  /** The epoch of a clean run that holds it: a run in which something happens later is the same until then. */
  async function itsEpoch(): Promise<number> {
    const clean = await story([], poisoned('q0'));
    return eventsOf(clean, 'dead-lettered')[0]?.epoch ?? Number.NaN;
  }

  it.each([
    ['before its epoch is decided', 'before'],
    ['when its epoch is decided', 'after'],
  ] as const)('whose coordinator crashes %s is there once', async (_what, when) => {
    const decision = new RegExp(`^epoch ${await itsEpoch()} `);
    const told = await story([{ at: at('decide', { about: decision }), fault: { fault: 'crash', when } }], poisoned('q0'));
    expect(eventsOf(told, 'lease-taken').length).toBe(2);
  });

  it('is published again when its transaction is lost between decision and commit', async () => {
    const epoch = await itsEpoch();
    // Two ids take turns: how often the epoch's own was committed by then.
    const commit = at('commit', { about: new RegExp(`-dead-letters-0-${epoch % 2} `), nth: Math.ceil(epoch / 2) });
    const fence = (world: World, call: Call) => void world.broker.transactions.initProducerId(call.about.split(' ')[0] ?? '', 25_000);
    const told = await story([{ at: commit, also: fence }], poisoned('q0'));
    expect(eventsOf(told, 'doubtful')).toEqual([expect.objectContaining({ epoch, resolution: 'republished' })]);
  });

  it('that was decided is committed by a coordinator that has no sink for any', async () => {
    const commit = new RegExp(`^dead-letters 0 epoch ${await itsEpoch()}$`);
    const told = await story(
      [{ at: at('invoke commit', { about: commit }), fault: { fault: 'crash', when: 'before' } }],
      poisoned('q0', (coordinator) => coordinator === 1),
    );
    expect(eventsOf(told, 'lease-taken').length).toBe(2);
  });
});

describe('failures that are not of a record', () => {
  it.each(['invoke read', 'invoke process', 'invoke prepare'])(
    '(%s) leave nothing out and nothing small, however often they come',
    async (api) => {
      const told = await story([{ at: at(api, { nth: 2 }), fault: { fault: 'error' }, times: 9 }], {
        ...poisoned('ant'),
        input: [plain(0, 0, 'ant #0'), plain(1_500, 0, 'bee #1', 'cow #2', 'auk #3', 'ant #4')],
      });
      const kinds = eventsOf(told, 'attempt-failed').map(({ kind }) => kind);
      expect(kinds.length).toBeGreaterThan(4);
      expect(new Set(kinds)).toEqual(new Set(['transient']));
      expect(dead(told)).toBe(0);
      expect(eventsOf(told, 'decided').at(-1)?.recordsIn).toBeGreaterThanOrEqual(4);
    },
  );
});

describe('a minimum pause', () => {
  it('has one epoch at a time, planned no sooner than that after the commit of the one before', async () => {
    const told = await story([], {
      settings: { minPauseMs: 1_500, checkpointIntervalMs: 200, maxConcurrentEpochs: 3, maxEpochBytes: 100 },
      fetchBytes: 100,
      input: Array.from({ length: 6 }, (_, index) => plain(index * 10, 0, `ant #${index}`)),
    });
    const times = told.history.flatMap((line) => {
      const found = /^ *([\d.]+) .* \* (\{"event":"(?:planned|committed)".*\})$/.exec(line);
      return found === null
        ? []
        : [{ atMs: Number(found[1]) * 1000, ...(JSON.parse(found[2] ?? '') as { event: string; inFlight?: number }) }];
    });
    expect(times.length).toBeGreaterThan(5);
    times.forEach(({ event, atMs, inFlight }, index) => {
      if (event !== 'planned') return;
      expect(inFlight).toBe(1);
      const before = times[index - 1];
      if (before !== undefined) expect([before.event, atMs - before.atMs >= 1_500]).toEqual(['committed', true]);
    });
  });
});

describe('a restart strategy', () => {
  const failing = (times: number) => [{ at: at('invoke process', { nth: 1 }), fault: { fault: 'error' } as const, times }];

  it('that gives up fails the job with its name, its numbers and the last error, and the job can be started again', async () => {
    const restart = { kind: 'fixed-delay', attempts: 2, delayMs: 50 } as const;
    const told = await story(failing(3), { settings: { restart }, mayFail: /gives up/ });
    expect(told.ends).toEqual([
      expect.objectContaining({
        end: 'failed',
        message: expect.stringMatching(
          /^restart strategy fixed-delay gives up: 3 failures in a row.*The last error: epoch 1, stage count: .*throttled/,
        ),
      }),
    ]);
  });

  it('tries as often as it says', async () => {
    const told = await story(failing(2), { settings: { restart: { kind: 'fixed-delay', attempts: 2, delayMs: 50 } } });
    expect(ends(told)).toEqual(['stopped']);
  });

  it('is beside the failures that are tolerated', async () => {
    const told = await story(failing(2), { settings: { tolerableFailures: 1 }, mayFail: /ONCEFLOW_TOLERABLE_FAILURES=1/ });
    expect(ends(told)).toEqual(['failed']);
  });
});

describe('a job without progress', () => {
  it('says since when, how often it failed in a row and why, in the job row too, and takes it back', async () => {
    const rows: unknown[] = [];
    const underWay: unknown[] = [];
    let decided: () => unknown = () => undefined;
    const look = ({ table }: World) => {
      const row = table.row('job');
      rows.push(row?.noProgress);
      underWay.push(row?.underWay);
      decided = () => table.epochs.at('job', row?.incarnation ?? '', 2)?.summary;
    };
    const told = await story(
      [
        { at: at('invoke process', { nth: 2 }), fault: { fault: 'error' }, times: 25 },
        { at: at('recordNoProgress', { nth: 2 }), also: look },
      ],
      { faultsUntilMs: 60_000 },
    );
    const failure = expect.objectContaining({ epoch: 2, stage: 'count', kind: 'transient', message: expect.stringMatching(/./) });
    const failed = [failure, failure, failure];
    expect(underWay).toEqual([expect.objectContaining({ generation: 1, failed })]);
    expect(decided()).toMatchObject({ failed });
    const [said] = eventsOf(told, 'no-progress');
    expect(said).toMatchObject({ lastError: expect.stringMatching(/^epoch 2, stage count: /) });
    expect(said?.forMs).toBeGreaterThanOrEqual(10_000);
    expect(said?.failuresInARow).toBeGreaterThan(5);
    expect(rows).toEqual([expect.objectContaining({ generation: 1, sinceMs: said?.sinceMs, lastError: said?.lastError })]);
    expect(eventsOf(told, 'progress-again').length).toBeGreaterThan(0);
  });

  it('is also one that decides epochs and moves on in no partition, though there is something to read', async () => {
    const silent = (world: World) => {
      const { reads } = world.broker;
      const fetch = reads.fetch.bind(reads);
      const isSilent = (topic: string) => topic === INPUT && world.scheduler.nowMs < 30_000;
      reads.fetch = (...of) => fetch(...of).map((one) => (isSilent(one.topic) ? { ...one, records: Buffer.alloc(0) } : one));
    };
    const told = await story([{ at: at('decide', { nth: 2 }), also: silent }], { faultsUntilMs: 30_000 });
    expect(eventsOf(told, 'committed').filter(({ figures }) => figures.recordsIn === 0).length).toBeGreaterThan(10);
    expect(eventsOf(told, 'no-progress')[0]?.forMs).toBeGreaterThanOrEqual(10_000);
    expect(eventsOf(told, 'progress-again')).toHaveLength(1);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('is not one that has nothing to do', async () => {
    const told = await story([], { input: [plain(0, 0, 'ant #0'), plain(60_000, 0, 'bee #1')], faultsUntilMs: 61_000 });
    expect(eventsOf(told, 'no-progress')).toEqual([]);
  });
});

describe('an outage of five minutes', () => {
  it.each([
    ['of the broker', 'fetch'],
    ['of the table', 'decide'],
    ['of the blob store', 'put'],
    ['of the function service', 'invoke process'],
  ] as const)('%s is said, ridden out, and nothing is given up', async (_of, api) => {
    const told = await story([{ at: at(api, { nth: 2 }), fault: { fault: 'outage', forMs: 300_000 } }], {
      input: [...input, plain(200_000, 0, 'cat #9')],
      faultsUntilMs: 310_000,
    });
    const said = eventsOf(told, 'no-progress').at(-1);
    expect(said?.forMs).toBeGreaterThan(100_000);
    expect(said?.lastError).toMatch(/./);
    expect(eventsOf(told, 'attempt-failed').every(({ retryInMs }) => retryInMs <= 2_000)).toBe(true);
    expect(told.ends.every(({ end }) => end === 'stopped')).toBe(true);
  });
});
