import { describe, expect, it } from 'vitest';
import {
  defineJob,
  int64,
  kafkaSink,
  kafkaSource,
  type Output,
  sessionWindows,
  tumblingWindows,
  utf8,
  valueState,
  type WindowContext,
} from '../../../lib/api/index.ts';
import { readCommitted } from '../checker/reader.ts';
import { INPUT, JOB, type SimJob } from '../sim-job.ts';
import type { World } from '../world.ts';
import type { InputBatch, WorldOptions } from '../world-options.ts';
import { at, ends, plain, type Rule, story } from './story.ts';

const HOUR_MS = 3_600_000;

/** Lines are `word time`. Of each word a timer is set a second after its time; of some one of processing time, so long from now. */
const alarms: SimJob = {
  name: 'alarms',
  define: (_build, startingOffsets) =>
    defineJob(JOB, (job) => {
      const timeOf = (line: string) => Number(line.split(' ')[1]);
      const source = kafkaSource({
        topic: INPUT,
        value: utf8,
        startingOffsets,
        eventTime: { timestamp: timeOf, maxOutOfOrdernessMs: 0, idleAfterMs: 3_000 },
      });
      job
        .source('read', source)
        .keyBy((line) => line.split(' ')[0] ?? '', utf8)
        .process('ring', {
          state: {},
          onRecord(line, _, out: Output<string>, { key, timestamp, watermarkMs, processingTimeMs, timers }) {
            if (timestamp <= watermarkMs) return out.emit(`late ${line}`);
            if (key === 'soon') timers.setProcessingTime(processingTimeMs + 500);
            if (key === 'patient') timers.setProcessingTime(processingTimeMs + 200_000);
            if (key === 'sloth') timers.setProcessingTime(processingTimeMs + HOUR_MS);
            timers.setEventTime(timestamp + 1_000);
          },
          onTimer({ domain, timeMs }, _, out, { key }) {
            if (key === 'bad') throw new Error('no alarm');
            out.emit(`${key} at ${domain === 'event' ? timeMs : domain}`);
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** Lines are `word time`. What it writes begins with what it is of, and the word. */
const diary: SimJob = {
  name: 'diary',
  define: (_build, startingOffsets) =>
    defineJob(JOB, (job) => {
      const timeOf = (line: string) => Number(line.split(' ')[1]);
      const eventTime = { timestamp: timeOf, maxOutOfOrdernessMs: 3_000, idleAfterMs: 30_000 };
      const words = job
        .source('read', kafkaSource({ topic: INPUT, value: utf8, startingOffsets, eventTime }))
        .keyBy((line) => line.split(' ')[0] ?? '', utf8);
      const count = { accumulator: int64, initial: 0, add: (n: number) => n + 1, merge: (one: number, other: number) => one + other };
      const shown = (what: string) => ({
        ...count,
        result: (n: number, { key, startMs, endMs }: WindowContext<string>) => `${what} ${key} ${startMs} to ${endMs}: ${n}`,
      });
      const ordered = words.process('order', {
        inTimeOrder: true,
        state: { n: valueState(int64, 0) },
        onRecord(line, { n }, out: Output<string>, { timestamp, timers }) {
          out.emit(`order ${line} is ${n.update((before) => before + 1)}`);
          timers.setEventTime(timestamp + 700);
        },
        onTimer: ({ timeMs }, { n }, out, { key }) => out.emit(`order ${key} rings at ${timeMs}, ${n.update((before) => before + 1)}`),
      });
      const sink = (topic: string) => kafkaSink({ topic, value: utf8 });
      ordered.sink('write-order', sink('output'));
      ordered.late.sink('write-late', sink('output'));
      words
        .window(tumblingWindows({ sizeMs: 1_000 }))
        .aggregate('count', shown('count'))
        .sink('write-counts', sink('output'));
      words
        .window(sessionWindows({ gapMs: 800 }))
        .aggregate('visit', shown('visit'))
        .sink('write-visits', sink('output'));
    }),
};

/** What a reader has in the end, in any order, and how it came to that. */
async function rung(rules: readonly Rule[], change: Partial<WorldOptions>) {
  let world: World | undefined;
  const told = await story(rules, {
    job: alarms,
    inputPartitions: 2,
    ...change,
    prepare: (made) => {
      world = made;
      change.prepare?.(made);
    },
  });
  const logs = world?.broker.topics.get('output') ?? [];
  return { told, output: logs.flatMap((log) => readCommitted(log, 0, log.end).map(({ value }) => value)).toSorted() };
}

/** What is asked of table, blob store and brokers without changing anything there. */
const READS = ['readJob', 'listEpochs', 'listSavepoints', 'list', 'offsets', 'describeProducers'];

const decidedEpochs = (world: World) => world.table.row(JOB)?.lastCompleted?.epoch ?? 0;

describe('a timer', () => {
  const input = [plain(0, 0, 'ant 1000'), plain(0, 1, 'bee 1000'), plain(2_000, 0, 'cow 2001'), plain(2_000, 1, 'cow 2001')];

  it.each(['before', 'after'] as const)(
    'fires once when the coordinator dies %s the decision of the epoch in which it is due',
    async (when) => {
      const { told, output } = await rung([{ at: at('decide', { nth: 3 }), fault: { fault: 'crash', when } }], { input });
      expect(told.observed.filter(({ event }) => event === 'lease-taken')).toHaveLength(2);
      // What was left over at the end is due when both partitions are idle: it is the latest that they have brought.
      expect(output).toEqual(['ant at 2000', 'bee at 2000']);
    },
  );

  it('fires once when its stage is asked twice, and when its answer is lost', async () => {
    const { output } = await rung(
      [
        { at: at('invoke process', { nth: 1 }), fault: { fault: 'twice', byMs: 50 } },
        { at: at('invoke process', { nth: 2 }), fault: { fault: 'lose', what: 'answer' } },
      ],
      { input },
    );
    expect(output).toEqual(['ant at 2000', 'bee at 2000']);
  });

  it('fires at another parallelism than that at which it was set', async () => {
    const { output } = await rung([{ at: at('decide', { nth: 2 }), fault: { fault: 'crash', when: 'after' } }], {
      input,
      parallelism: (coordinator) => ({ read: 1, ring: coordinator === 1 ? 1 : 3, write: 1 }),
    });
    expect(output).toEqual(['ant at 2000', 'bee at 2000']);
  });

  it('of processing time fires without any further input, soon after its time, and in no epoch before', async () => {
    let epochs = 0;
    let firedMs = 0;
    const { told, output } = await rung([], {
      input: [plain(0, 0, 'soon 1000')],
      prepare: (world) => {
        const look = () => {
          if (world.scheduler.nowMs < 480) epochs = decidedEpochs(world);
          if (firedMs === 0 && decidedEpochs(world) > epochs) firedMs = world.scheduler.nowMs;
          world.scheduler.after(10, undefined, look);
        };
        look();
      },
    });
    expect(output).toEqual(['soon at processing']);
    // Starting offsets, the line, the timer.
    expect(told.epochs).toBe(3);
    expect(firedMs).toBeGreaterThanOrEqual(500);
    expect(firedMs).toBeLessThan(800);
  });

  it('a long time away is waited for without an epoch, by a deployment that ends while idle, and fires in time', async () => {
    let epochs = 0;
    let firedMs = 0;
    const { told, output } = await rung([], {
      input: [plain(0, 0, 'patient 1000')],
      settings: { idleExitMs: 1_000 },
      watch: { how: 'revival', everyMs: 60_000, standby: 'none' },
      prepare: (world) => {
        const look = () => {
          if (world.scheduler.nowMs < 199_000) epochs = decidedEpochs(world);
          if (firedMs === 0 && decidedEpochs(world) > epochs) firedMs = world.scheduler.nowMs;
          world.scheduler.after(50, undefined, look);
        };
        look();
      },
    });
    expect(output).toEqual(['patient at processing']);
    // Starting offsets, the line, the timer.
    expect(told.epochs).toBe(3);
    expect(firedMs).toBeGreaterThanOrEqual(200_000);
    expect(firedMs).toBeLessThan(202_000);
    // It ended, and was started, in between; the one that was started within a minute of the time stayed.
    expect(told.ends.filter(({ message }) => message.includes('has no input')).length).toBeGreaterThanOrEqual(2);
  });

  it('an hour away is waited for without a word but that of the lease, and fires', async () => {
    const [quietFromMs, quietUntilMs] = [20_000, HOUR_MS - 1_000];
    const calls = new Map<string, number>();
    const { told, output } = await rung([], {
      input: [plain(0, 0, 'sloth 1000')],
      settings: { leaseMs: 30_000, recoveryTimeoutMs: 40_000, transactionTimeoutMs: 60_000, idlePollMaxMs: 30_000 },
      faultsUntilMs: quietUntilMs,
      faults: ({ api, atMs }) => {
        if (atMs >= quietFromMs) calls.set(api, (calls.get(api) ?? 0) + 1);
        return undefined;
      },
    });
    expect(output).toEqual(['sloth at processing']);
    // Starting offsets, the line, the timer.
    expect(told.epochs).toBe(3);
    expect(told.ends).toHaveLength(1);
    // One for each third of it.
    expect(calls.get('renewLease')).toBeGreaterThan((quietUntilMs - quietFromMs) / 30_000);
    expect([...calls.keys()].filter((api) => !READS.includes(api))).toEqual(['renewLease']);
  });

  it('that fails is tried again, and the job stops with what failed, for which key and which time', async () => {
    const { told } = await rung([], {
      input: [plain(0, 0, 'bad 1000'), plain(0, 1, 'ant 5000'), plain(500, 0, 'ant 9000')],
      mayFail: /no alarm/,
    });
    expect(ends(told)).toContain('failed');
    expect(told.ends.find(({ end }) => end === 'failed')?.message).toMatch(
      /stage ring: ring, timer of event time 2000 of key bad: Error: no alarm/,
    );
  });
});

describe('a watermark', () => {
  it('waits for a partition that stands still, and goes on without it when it is idle: by an epoch without input', async () => {
    let firedMs = 0;
    const { output } = await rung([], {
      input: [plain(0, 0, 'ant 1000'), plain(0, 1, 'bee 1000'), plain(1_000, 0, 'cow 4000'), plain(1_500, 0, 'cow 5000')],
      prepare: (world) => {
        const look = () => {
          const log = world.broker.topics.get('output')?.[0];
          if (firedMs === 0 && log !== undefined && readCommitted(log, 0, log.end).length > 0) firedMs = world.scheduler.nowMs;
          world.scheduler.after(10, undefined, look);
        };
        look();
      },
    });
    expect(output).toEqual(['ant at 2000', 'bee at 2000']);
    expect(firedMs).toBeGreaterThan(3_000);
    expect(firedMs).toBeLessThan(4_500);
  });

  it('does not move, and nothing is written, while nothing waits for it', async () => {
    const { told } = await rung([], { input: [plain(0, 0, 'ant 1000'), plain(0, 1, 'late 1'), plain(15_000, 0, 'cow 1000')] });
    // Starting offsets, two lines, and when both are idle the alarm of none: that of the ant waits for 2000. Then the cow, who is late.
    expect(told.epochs).toBe(3);
  });
});

describe('a record', () => {
  it('is late by the watermark of the epoch before: what comes in the epoch that moves it is not', async () => {
    const input = [
      plain(0, 0, 'ant 1000'),
      plain(0, 1, 'ant 1000'),
      // In one epoch: the first of a partition moves its watermark beyond the second.
      plain(2_000, 0, 'bee 9000', 'cow 1500'),
      plain(2_000, 1, 'bee 9000'),
      plain(4_000, 0, 'dog 8999'),
      plain(4_000, 1, 'elk 9001'),
    ];
    const { output } = await rung([], { input });
    expect(output).toEqual(['ant at 2000', 'cow at 2500', 'late dog 8999']);
  });

  it('stays late, or in time, when the attempt that saw it is repeated after a restart', async () => {
    const input = [
      plain(0, 0, 'ant 1000'),
      plain(0, 1, 'ant 1000'),
      plain(2_000, 0, 'bee 9000'),
      plain(2_000, 1, 'bee 9000'),
      plain(4_000, 0, 'dog 8999'),
    ];
    const { output } = await rung(
      [
        { at: at('decide', { nth: 4 }), fault: { fault: 'crash', when: 'before' } },
        { at: at('invoke process', { nth: 4 }), fault: { fault: 'lose', what: 'answer' } },
      ],
      { input },
    );
    expect(output).toEqual(['ant at 2000', 'late dog 8999']);
  });
});

describe('input that is read again under other cuts of epochs', () => {
  const TIMES = [1_000, 2_900, 400, 3_100, 3_100, 2_500, 5_200, 4_800, 6_900, 6_000, 7_700, 9_400];
  const spread: InputBatch[] = [
    ...TIMES.map((time, index) => plain(index * 1_200, index % 2, `ant ${time}`, `bee ${time + 150}`)),
    plain(15_000, 0, 'end 60000'),
    plain(15_000, 1, 'end 60000'),
  ];
  const inOne = spread.map((batch) => ({ ...batch, atMs: 0 }));
  const dying = (nth: number) => ({ at: at('decide', { nth }), fault: { fault: 'crash', when: 'before' } }) as const;
  const lost: Rule = { at: at('invoke process', { nth: 4 }), fault: { fault: 'lose', what: 'answer' } };

  /** By what a text is of, in the order in which a reader has it. */
  async function written(rules: readonly Rule[], input: readonly InputBatch[], most: number) {
    let world: World | undefined;
    const told = await story(rules, {
      job: diary,
      input,
      parallelism: (coordinator) => ({ read: 1, order: coordinator === 1 ? 1 : most, 'write-order': 1 }),
      prepare: (made) => {
        world = made;
      },
    });
    const logs = world?.broker.topics.get('output') ?? [];
    const texts = logs.flatMap((log) => readCommitted(log, 0, log.end).map(({ value }) => value));
    return { epochs: told.epochs, output: Map.groupBy(texts, (text) => text.split(' ').slice(0, 2).join(' ')) };
  }

  it('gives the same of each key, word for word: in order of time, in windows and in sessions', async () => {
    const [plainly, ...others] = await Promise.all([
      written([], spread, 1),
      written([], inOne, 1),
      written([dying(3)], spread, 3),
      written([lost, dying(5)], spread, 2),
    ]);
    // Two lines of one time have one timer.
    expect(plainly?.output.get('order ant')).toHaveLength(2 * TIMES.length - 1);
    expect(plainly?.output.get('count bee')?.[0]).toBe('count bee 0 to 1000: 1');
    expect([...(plainly?.output.keys() ?? [])].filter((of) => of.startsWith('ant ') || of.startsWith('bee '))).toEqual([]);
    expect(new Set([plainly, ...others].map((each) => each?.epochs)).size).toBeGreaterThan(2);
    for (const other of others) expect(other.output).toEqual(plainly?.output);
  });
});
