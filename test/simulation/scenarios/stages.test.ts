import { describe, expect, it } from 'vitest';
import type { Call, Fault } from '../kernel/faults.ts';
import { parallelismOf } from '../parallelism.ts';
import { INPUT, JOB } from '../sim-job.ts';
import type { World } from '../world.ts';
import type { InputBatch, Outcome, WorldOptions } from '../world-options.ts';
import { at, ends, failedAttempts, fourEpochs, jobNamed, plain, story } from './story.ts';

const commits = (atMs: number, partition: number, endsAfterMs: number, ...lines: string[]): InputBatch => ({
  atMs,
  partition,
  lines,
  how: 'commit',
  endsAfterMs,
});
const aborts = (atMs: number, partition: number, endsAfterMs: number, ...lines: string[]): InputBatch => ({
  atMs,
  partition,
  lines,
  how: 'abort',
  endsAfterMs,
});

describe('functions', () => {
  it.each(['read', 'process', 'prepare', 'commit'])('that are invoked twice to %s do it once as far as anyone sees', async (ask) => {
    await story([{ at: at(`invoke ${ask}`, { about: /epoch 2/ }), fault: { fault: 'twice', byMs: 3 } }]);
    await story([{ at: at(`invoke ${ask}`, { about: /epoch 2/ }), fault: { fault: 'twice', byMs: 900 } }]);
  });

  it.each(['read', 'process', 'prepare'])('that are asked to %s after their deadline do nothing', async (ask) => {
    const told = await story([{ at: at(`invoke ${ask}`, { about: /epoch 2/ }), fault: { fault: 'late', byMs: 9_000 } }]);
    expect(failedAttempts(told)).toBe(1);
  });

  it.each(['read', 'process', 'prepare'])('whose answer to %s is lost have the epoch done again', async (ask) => {
    const told = await story([{ at: at(`invoke ${ask}`, { about: /epoch 2/ }), fault: { fault: 'lose', what: 'answer' } }]);
    expect(failedAttempts(told)).toBe(1);
  });

  it.each([
    ['source', 'fetch'],
    ['source', 'put'],
    ['operator', 'get'],
    ['operator', 'put'],
    ['sink', 'produce'],
  ] as const)('that freeze for a minute (%s, before %s) are replaced, and wake up without harm', async (role, api) => {
    const told = await story([{ at: at(api, { role, nth: 2 }), fault: { fault: 'freeze', when: 'before', forMs: 60_000 } }]);
    expect(failedAttempts(told)).toBeGreaterThan(0);
  });

  it('that fail after they changed their state do not go on from it', async () => {
    const told = await story([{ at: at('put', { role: 'operator', nth: 4 }), fault: { fault: 'error' } }], { oneAtATime: false });
    expect(failedAttempts(told)).toBe(1);
  });

  it('that cannot be reached for half a minute are waited for', async () => {
    await story([{ at: at('invoke process', { nth: 2 }), fault: { fault: 'outage', forMs: 30_000 } }]);
  });
});

describe('blobs', () => {
  it('whose write fails fail the attempt, and come late as orphans that are collected', async () => {
    const input = Array.from({ length: 25 }, (_, index) => plain(index * 700, index % 2, `ant #${index}`));
    const told = await story([{ at: at('put', { role: 'source', nth: 2 }), fault: { fault: 'late', byMs: 800 } }], {
      input,
      faultsUntilMs: 30_000,
    });
    expect(failedAttempts(told)).toBe(1);
    expect(told.observed.some(({ event }) => event === 'collected')).toBe(true);
  });

  it('whose write was done though it failed are written again under another name', async () => {
    const told = await story([{ at: at('put', { role: 'operator', nth: 2 }), fault: { fault: 'lose', what: 'answer' } }]);
    expect(failedAttempts(told)).toBe(1);
  });

  it('cannot be reached for half a minute, and nothing is decided without them', async () => {
    await story([{ at: at('put', { role: 'operator', nth: 2 }), fault: { fault: 'outage', forMs: 30_000 } }]);
  });
});

describe('several writes of one stage', () => {
  it('that fail at once fail the attempt, not the process', async () => {
    const told = await story([{ at: at('put', { role: 'source', nth: 3 }), fault: { fault: 'error' }, times: 2 }], {
      job: jobNamed('two-sinks'),
    });
    expect(failedAttempts(told)).toBe(1);
  });
});

describe('input', () => {
  it('of aborted transactions is never counted', async () => {
    const told = await story([], {
      input: [
        plain(0, 0, 'ant #0'),
        aborts(200, 0, 300, 'ant #1', 'bee #2'),
        commits(1_200, 0, 200, 'ant #3'),
        aborts(2_500, 0, 10, 'cow #4'),
      ],
    });
    expect(failedAttempts(told)).toBe(0);
  });

  it('of one producer that aborts and then commits is told apart within one fetch', async () => {
    await story([], {
      input: [
        aborts(0, 0, 1, 'ant #0'),
        commits(2, 0, 1, 'ant #1'),
        aborts(4, 0, 1, 'bee #2'),
        commits(6, 0, 1, 'bee #3'),
        plain(8, 0, 'ant #4'),
      ],
    });
  });

  it('behind an open transaction waits for it', async () => {
    const told = await story([], {
      input: [plain(0, 0, 'ant #0'), commits(500, 0, 6_000, 'bee #1'), plain(700, 0, 'cow #2'), plain(900, 1, 'ant #3')],
    });
    expect(told.virtualMs).toBeGreaterThan(6_500);
  });

  it('in small chunks is read to the barrier, epoch by epoch', async () => {
    const told = await story([], {
      fetchBytes: 80,
      settings: { maxEpochBytes: 150 },
      input: Array.from({ length: 12 }, (_, index) => plain(0, index % 2, `ant bee #${index}`)),
    });
    expect(told.epochs).toBeGreaterThan(4);
  });
});

describe('ONCEFLOW_COMMIT_OFFSETS', () => {
  it.each([true, false])('%s: input offsets are committed for lag tools, or not at all', async (commitOffsets) => {
    let world: World | undefined;
    const told = await story([], { settings: { commitOffsets }, prepare: (made) => (world = made) });
    expect(ends(told)).toEqual(['stopped']);
    const committed = [0, 1].map((partition) => world?.broker.groups.fetch(JOB, { topic: INPUT, partition }).offset);
    expect(committed).toEqual(commitOffsets ? [3, 3] : [undefined, undefined]);
  });
});

describe('a rescale while the job runs', () => {
  const range = { least: 1, most: 3 };
  const lines = (n: number) => ['ant bee cow auk bat cat', 'ant ant bee', 'dog eel fox'].map((words) => `${words} #${n}`);
  const input = Array.from({ length: 24 }, (_, n) => plain(n * 400, n % 2, ...lines(n)));
  const ranging = (rescales: WorldOptions['rescales']) => ({
    input,
    rescales,
    parallelism: () => parallelismOf(jobNamed('word-count'), { source: range, operator: range, sink: range }),
  });
  const changed = ({ observed }: Outcome) =>
    observed.flatMap((event) => (event.event === 'rescaled' ? [`${event.stage} ${event.from} to ${event.to}`] : []));

  it('goes up and down again within one coordinator, and loses no count', async () => {
    const told = await story(
      [],
      ranging([
        { atMs: 2_000, subtasks: { count: 3, write: 3, read: 2 } },
        { atMs: 6_000, subtasks: { count: 1, write: 1, read: 1 } },
      ]),
    );
    expect(changed(told)).toEqual(
      expect.arrayContaining(['count 1 to 3', 'write 1 to 3', 'read 1 to 2', 'count 3 to 1', 'write 3 to 1', 'read 2 to 1']),
    );
    expect(told.ends).toHaveLength(1);
  });

  it.each(['before', 'after'] as const)(
    'while an attempt is in flight and the coordinator dies %s its decision, the next one goes on with what was asked',
    async (when) => {
      const told = await story(
        [{ at: at('decide', { about: /^epoch [5-9] / }), fault: { fault: 'crash', when } }],
        ranging([{ atMs: 1_900, subtasks: { count: 3, write: 2 } }]),
      );
      expect(changed(told)).toContain('count 1 to 3');
      expect(told.observed.filter(({ event }) => event === 'lease-taken')).toHaveLength(2);
    },
  );

  it('to fewer sinks, behind an attempt that failed in more of them, leaves no transaction of it open', async () => {
    await story(
      [{ at: at('invoke prepare', { nth: 9 }), fault: { fault: 'lose', what: 'answer' } }],
      ranging([
        { atMs: 500, subtasks: { write: 3, count: 3 } },
        { atMs: 2_100, subtasks: { write: 1, count: 3 } },
      ]),
    );
  });
});

describe('parallelism', () => {
  const widths = [2, 1, 2];
  const changing = (n: number) =>
    parallelismOf(jobNamed('word-count'), { source: 1, operator: widths[n - 1] ?? 1, sink: widths[n - 1] ?? 1 });

  it('that shrinks leaves no transaction open under an id that nobody uses any more', async () => {
    const told = await story([{ at: at('decide', { about: /^epoch 2 / }), fault: { fault: 'power-cut' } }], { parallelism: changing });
    expect(ends(told)).toEqual(['stopped']);
  });

  it('that changes at every start keeps every count', async () => {
    await story(
      [
        { at: at('invoke process', { nth: 3 }), fault: { fault: 'hand-over' } },
        { at: at('decide', { about: /^epoch 3 / }), fault: { fault: 'crash', when: 'after' } },
      ],
      { parallelism: changing },
    );
  });

  it('that grows splits the state of a subtask without input too, and that shrinks puts it together again', async () => {
    const growing = [1, 2, 1, 2];
    const input = [plain(0, 0, 'ant bee cow auk bat cat #0'), ...[1, 2, 3, 4].map((second) => plain(second * 1_500, 0, `ant #${second}`))];
    const told = await story(
      [2, 3, 4].map((epoch) => ({
        at: at('decide', { about: new RegExp(`^epoch ${epoch} `) }),
        fault: { fault: 'crash', when: 'after' } as const,
      })),
      { input, parallelism: (n) => parallelismOf(jobNamed('word-count'), { source: 1, operator: growing[n - 1] ?? 1, sink: 1 }) },
    );
    expect(told.epochs).toBe(6);
  });

  it('that shrinks after the decision has the wider ids committed', async () => {
    await story([{ at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'crash', when: 'before' } }], { parallelism: changing });
  });
});

/** DESIGN's rule for testing: count the calls of a clean run, then let something happen at each of them. */
describe('at every single request', () => {
  const worst: readonly (readonly [string, Fault])[] = [
    ['the process crashes before it is sent', { fault: 'crash', when: 'before' }],
    ['the process crashes when it was carried out', { fault: 'crash', when: 'after' }],
    ['everything loses its power', { fault: 'power-cut' }],
    ['the request is lost', { fault: 'lose', what: 'request' }],
    ['the answer is lost', { fault: 'lose', what: 'answer' }],
    ['the request arrives 5 s late', { fault: 'late', byMs: 5_000 }],
    ['the process freezes for 12 s before it is sent', { fault: 'freeze', when: 'before', forMs: 12_000 }],
    ['the process freezes for 40 s when it was carried out', { fault: 'freeze', when: 'after', forMs: 40_000 }],
  ];
  const small = { input: fourEpochs.slice(0, 3), history: false, faultsUntilMs: 8_000 };

  it.each(worst)(
    '%s: nothing is lost, nothing comes twice',
    async (_what, fault) => {
      const calls = await callsOfCleanRun();
      expect(calls.length).toBeGreaterThan(80);
      for (const id of calls) await story([{ at: (call: Call) => call.id === id, fault }], small);
    },
    180_000,
  );

  async function callsOfCleanRun(): Promise<string[]> {
    const calls: string[] = [];
    const told = await story([], { ...small, faults: (call) => void calls.push(call.id) });
    expect(told.epochs).toBe(4);
    return calls;
  }
});
