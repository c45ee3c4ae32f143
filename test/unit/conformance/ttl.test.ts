import { describe, expect, test } from 'vitest';
import {
  aggregatingState,
  defineJob,
  float64,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  type StateHandles,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { type TestJob, testJob } from '../../../lib/testing/index.ts';

const WRITE = { ttlMs: 1_000 } as const;
const READ = { ttlMs: 1_000, refreshOn: 'read-and-write' } as const;

const sum = aggregatingState(float64, { initial: 0, add: (total, value: number) => total + value });
const state = {
  last: withTtl(valueState(utf8, 'none'), WRITE),
  lastRead: withTtl(valueState(utf8, 'none'), READ),
  list: withTtl(listState(utf8), WRITE),
  map: withTtl(mapState(utf8, utf8), WRITE),
  mapRead: withTtl(mapState(utf8, utf8), READ),
  highest: withTtl(reducingState(float64, Math.max), WRITE),
  sum: withTtl(sum, WRITE),
  objects: withTtl(valueState(json<{ n: number }>(), { n: 0 }), WRITE),
};
type Held = StateHandles<typeof state>;

/** Does what a record names, by a key's state, and says what came of it. */
function asking(acts: Readonly<Record<string, (held: Held) => unknown>>): TestJob {
  const job = defineJob('asking', (builder) => {
    builder
      .source('read', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((act) => act.split(' ')[1] ?? 'a', utf8)
      .process('ask', {
        state,
        onRecord: (act, held, out: Output<string>) => out.emit(String(acts[act.split(' ')[0] ?? '']?.(held))),
      })
      .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  });
  return testJob(job);
}

/** One epoch. Answers what came of it. */
async function epoch(job: TestJob, ...acts: readonly string[]): Promise<readonly unknown[]> {
  const before = job.values('write').length;
  job.push('read', ...acts);
  await job.runEpoch();
  return job.values('write').slice(before);
}

const pass = (job: TestJob, byMs: number) => job.advanceProcessingTime({ byMs });

describe('state with a time to live', () => {
  test('is there until its time has come, and not a millisecond longer', async () => {
    const job = asking({ set: ({ last }) => last.set('x'), get: ({ last }) => last.get() });
    await epoch(job, 'set');
    await pass(job, 999);
    expect(await epoch(job, 'get')).toEqual(['x']);
    await pass(job, 1);
    expect(await epoch(job, 'get')).toEqual(['none']);
  });

  test('is by processing time alone, whatever the times of records', async () => {
    const job = asking({ set: ({ last }) => last.set('x'), get: ({ last }) => last.get() });
    job.pushRecords('read', { value: 'set', timestamp: 0 }, { value: 'get', timestamp: 5_000_000 });
    await job.runEpoch();
    expect(job.values('write')).toEqual(['undefined', 'x']);
  });

  test('lives anew when it is written, also to the same value', async () => {
    const job = asking({ set: ({ last }) => last.set('x'), get: ({ last }) => last.get() });
    await epoch(job, 'set');
    await pass(job, 600);
    await epoch(job, 'set');
    await pass(job, 600);
    expect(await epoch(job, 'get')).toEqual(['x']);
    await pass(job, 400);
    expect(await epoch(job, 'get')).toEqual(['none']);
  });

  test('lives no longer for being read, unless it says so', async () => {
    const set = ({ last, lastRead }: Held) => [last, lastRead].map((each) => each.set('x'));
    const get = ({ last, lastRead }: Held) => [last.get(), lastRead.get()];
    const job = asking({ set, get });
    await epoch(job, 'set');
    await pass(job, 600);
    expect(await epoch(job, 'get')).toEqual(['x,x']);
    await pass(job, 600);
    expect(await epoch(job, 'get')).toEqual(['none,x']);
    await pass(job, 1_000);
    expect(await epoch(job, 'get')).toEqual(['none,none']);
  });

  test('lives no longer for being asked whether it is there', async () => {
    const job = asking({
      put: ({ mapRead }) => mapRead.set('k', 'v'),
      has: ({ mapRead }) => `${mapRead.has('k')} ${mapRead.size} ${[...mapRead.keys()]}`,
    });
    await epoch(job, 'put');
    await pass(job, 600);
    expect(await epoch(job, 'has')).toEqual(['true 1 k']);
    await pass(job, 600);
    expect(await epoch(job, 'has')).toEqual(['false 0 ']);
  });

  test('expires entry by entry, in lists and maps', async () => {
    const job = asking({
      first: ({ list, map }) => [list.add('1'), map.set('k1', '1'), map.set('k2', '1')],
      second: ({ list, map }) => [list.add('2'), map.set('k2', '2')],
      all: ({ list, map }) => `${[...list]} ${list.length} ${list.at(0)}; ${[...map]} ${map.size} ${map.get('k1')}`,
    });
    await epoch(job, 'first');
    await pass(job, 600);
    await epoch(job, 'second');
    expect(await epoch(job, 'all')).toEqual(['1,2 2 1; k1,1,k2,2 2 1']);
    await pass(job, 400);
    expect(await epoch(job, 'all')).toEqual(['2 1 2; k2,2 1 undefined']);
    await pass(job, 600);
    expect(await epoch(job, 'all')).toEqual([' 0 undefined;  0 undefined']);
  });

  test('that has expired is as if it had never been: what comes next begins anew', async () => {
    const job = asking({
      add: ({ highest, sum: total, objects }) => {
        highest.add(highest.get() === undefined ? 3 : 1);
        total.add(2);
        objects.update(({ n }) => ({ n: n + 1 }));
      },
      get: ({ highest, sum: total, objects }) => `${highest.get()} ${total.get()} ${objects.get().n}`,
    });
    await epoch(job, 'add', 'add', 'get');
    await pass(job, 1_000);
    expect(await epoch(job, 'get', 'add', 'get')).toEqual(['undefined undefined 0', 'undefined', '3 2 1']);
  });

  test('is of each key by itself', async () => {
    const job = asking({ set: ({ last }) => last.set('x'), get: ({ last }) => last.get() });
    await epoch(job, 'set a');
    await pass(job, 600);
    await epoch(job, 'set b');
    await pass(job, 400);
    expect(await epoch(job, 'get a', 'get b')).toEqual(['none', 'x']);
  });

  test('is as old as it was after a crash, a restart and at another parallelism, and goes on to age while the job is down', async () => {
    const job = asking({ set: ({ last }) => last.set('x'), get: ({ last }) => last.get() });
    await epoch(job, 'set');
    await job.advanceProcessingTime({ byMs: 999, job: 'down' });
    await job.crash();
    job.restore({ parallelism: 3 });
    expect(await epoch(job, 'get')).toEqual(['x']);
    await job.advanceProcessingTime({ byMs: 1, job: 'down' });
    job.restore({ parallelism: 2 });
    expect(await epoch(job, 'get')).toEqual(['none']);
  });
});
