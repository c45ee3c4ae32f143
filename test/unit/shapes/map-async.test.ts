import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type AsyncCall,
  type DataStream,
  defineJob,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  type MapAsyncOptions,
  type Output,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import type { JobDefinition } from '../../../lib/graph/job.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import { testJob } from '../../../lib/testing/index.ts';

const words = kafkaSource({ topic: 'words', value: utf8 });
const out = kafkaSink({ topic: 'out', value: utf8 });

function asking(fn: (word: string, call: AsyncCall) => PromiseLike<string>, options: MapAsyncOptions = {}): JobDefinition {
  return defineJob('asking', (job) => {
    job.source('read', words).mapAsync(fn, options).sink('write', out);
  });
}

const inTurn = Array.from({ length: 25 }, (_, index) => `w${index}`);

describe('answers', () => {
  test('go on in the order of their values, however long each takes, with the timestamps of those', async () => {
    const job = testJob(asking(async (word) => sleep(Number(word.slice(1)) % 3 === 0 ? 10 : 1, word.toUpperCase())));
    job.pushRecords(words, ...inTurn.map((value, timestamp) => ({ value, timestamp })));
    await job.runUntilIdle();
    expect(job.output(out).map(({ value, timestamp }) => [value, timestamp])).toEqual(inTurn.map((word, at) => [word.toUpperCase(), at]));
  });

  test('are waited for by as many values at once as `capacity` says, and no more', async () => {
    for (const capacity of [1, 4]) {
      let underWay = 0;
      const most: number[] = [];
      const fn = async (word: string) => {
        most.push(++underWay);
        await sleep(1);
        underWay--;
        return word;
      };
      const job = testJob(asking(fn, { capacity }));
      job.push(words, ...inTurn);
      await job.runUntilIdle();
      expect(Math.max(...most)).toBe(capacity);
      // More than wait at once: the rest of the chunk is read when those are answered.
      expect(job.values(out)).toEqual(inTurn);
    }
  });

  test('of a keyed operator and of its timers go on with its key, through another mapAsync, and into state behind a keyBy', async () => {
    const lines = kafkaSource({
      topic: 'lines',
      value: json<{ at: number; word: string }>(),
      eventTime: { timestamp: ({ at }) => at, maxOutOfOrdernessMs: 0 },
    });
    const definition = defineJob('keyed', (builder) => {
      builder
        .source('read', lines)
        .mapAsync(async ({ word }) => word)
        .keyBy((word) => word, utf8)
        .process('remind', {
          state: { n: valueState(int64, 0) },
          onRecord(word, { n }, to: Output<string>, { timers, timestamp }) {
            to.emit(`${word} ${n.update((before) => before + 1)}`);
            timers.setEventTime(timestamp + 10);
          },
          onTimer({ timeMs }, _, to: Output<string>, { key }) {
            to.emit(`${key} at ${timeMs}`);
          },
        })
        .mapAsync(async (text) => sleep(text.startsWith('a') ? 5 : 1, `${text}!`))
        .mapAsync(async (text) => `${text}?`)
        .keyBy((text) => text.slice(0, 1), utf8)
        .process('gather', {
          inTimeOrder: true,
          state: { before: valueState(utf8, '') },
          onRecord(text, { before }, to: Output<string>, { timestamp }) {
            to.emit(`${before.get()}${text} ${timestamp}`);
            before.set(`${text} `);
          },
        })
        .sink('write', out);
    });
    for (const maxRecords of [1, 2, 100])
      for (const parallelism of [1, 3]) {
        const job = testJob(definition, { parallelism });
        job.push(lines, { at: 1, word: 'a' }, { at: 2, word: 'b' }, { at: 3, word: 'a' });
        await job.runUntilIdle({ maxRecords });
        job.restore({ parallelism: 2 });
        await job.advanceWatermark('read', 100);
        expect([...job.values(out)].sort()).toEqual([
          'a 1!? 1',
          'a 1!? a 2!? 3',
          'a 2!? a at 11!? 11',
          'a at 11!? a at 13!? 13',
          'b 1!? 2',
          'b 1!? b at 12!? 12',
        ]);
      }
  });

  test('that come to one operator in order of time beside the values themselves are told from them', async () => {
    const lines = kafkaSource({ topic: 'lines', value: utf8, eventTime: { timestamp: () => 5, maxOutOfOrdernessMs: 0 } });
    const job = testJob(
      defineJob('both', (builder) => {
        const read = builder.source('read', lines);
        read
          .union(
            read.mapAsync(async (word) => `${word}!`),
            read.mapAsync(async (word) => `${word}?`),
          )
          .keyBy(() => 'all', utf8)
          .process('gather', {
            inTimeOrder: true,
            state: {},
            onRecord(word, _, to: Output<string>) {
              to.emit(word);
            },
          })
          .sink('write', out);
      }),
    );
    job.push(lines, 'a', 'b');
    await job.runUntilIdle();
    await job.advanceWatermark('read', 10);
    expect([...job.values(out)].sort()).toEqual(['a', 'a!', 'a?', 'b', 'b!', 'b?']);
  });

  test('are of a value of their own: what the function changes in place no other branch sees', async () => {
    const lines = kafkaSource({ topic: 'lines', value: json<{ notes: string[] }>() });
    const job = testJob(
      defineJob('branches', (builder) => {
        const read = builder.source('read', lines);
        const noting = (note: string) => (line: { notes: string[] }) => {
          line.notes.push(note);
          return line.notes.join(' ');
        };
        read.mapAsync(async (line) => noting('asked')(line)).sink('write', out);
        read.map(noting('plain')).sink('write-plain', kafkaSink({ topic: 'plain', value: utf8 }));
      }),
    );
    job.push(lines, { notes: [] });
    await job.runUntilIdle();
    expect([job.values(out), job.values('write-plain')]).toEqual([['asked'], ['plain']]);
  });
});

describe('a value that fails', () => {
  test('is named with its record when the function rejects, throws at once, or what is behind it throws', async () => {
    const failing = [
      asking(async (word) => {
        await sleep(word === 'b' ? 1 : 3);
        if (word === 'b') throw new RangeError('no such word');
        return word;
      }),
      asking((word) => {
        if (word === 'b') throw new RangeError('no such word');
        return Promise.resolve(word);
      }),
      defineJob('behind', (job) => {
        const read = job.source('read', words).mapAsync(async (word) => word);
        read
          .map((word) => {
            if (word === 'b') throw new RangeError('no such word');
            return word;
          })
          .sink('write', out);
      }),
    ];
    for (const definition of failing) {
      const job = testJob(definition);
      job.push(words, 'a', 'b', 'c');
      await expect(job.runEpoch()).rejects.toThrow(
        /\(node \d\) behind read at topic words, partition 0, offset 1: RangeError: no such word/,
      );
      expect(job.values(out)).toEqual([]);
    }
  });

  test('by never answering is one message with its record, when `timeoutMs` is over; and its signal aborts', async () => {
    const signals: AbortSignal[] = [];
    const job = testJob(
      asking(
        (word, { signal }) => {
          signals.push(signal);
          return word === 'b' ? new Promise(() => {}) : Promise.resolve(word);
        },
        { timeoutMs: 30 },
      ),
    );
    job.push(words, 'a', 'b', 'c');
    await expect(job.runEpoch()).rejects.toThrow(
      'mapAsync (node 1) behind read at topic words, partition 0, offset 1: CallTimeoutError: the function has not answered within 30 ms (timeoutMs of mapAsync)',
    );
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
  });

  test('behind a keyed operator is found by smaller epochs, and behind a timer is of no record', async () => {
    const times = { timestamp: (word: string) => Number(word.slice(1)), maxOutOfOrdernessMs: 0 };
    const definition = defineJob('keyed', (builder) => {
      builder
        .source('read', kafkaSource({ topic: 'words', value: utf8, eventTime: times }))
        .keyBy((word) => word, utf8)
        .process('pass', {
          state: {},
          onRecord(word, _, to: Output<string>, { timers, timestamp }) {
            if (word.startsWith('t')) timers.setEventTime(timestamp);
            else to.emit(word);
          },
          onTimer(_timer, _, to: Output<string>) {
            to.emit('bad');
          },
        })
        .mapAsync(async (word) => {
          if (word.startsWith('b')) throw new RangeError('no such word');
          return word;
        })
        .sink('write', out);
    });
    const job = testJob(definition);
    job.push('read', 'a1', 'b2', 'c3');
    await expect(job.runUntilIdle()).rejects.toThrow(/topic words, partition 0, offset 1.*RangeError: no such word/s);
    const timed = testJob(definition);
    timed.push('read', 't1', 'c2');
    await expect(timed.runUntilIdle()).rejects.toThrow(/mapAsync \(node 3\) behind pass, behind timers of key t1: RangeError/);
  });
});

describe('when the job is defined', () => {
  test('what the function is given and gives has its type', () => {
    defineJob('typed', (job) => {
      const made = job.source('read', words).mapAsync(async (word, { signal }) => {
        expectTypeOf(word).toEqualTypeOf<string>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return word.length;
      });
      expectTypeOf(made).toEqualTypeOf<DataStream<number>>();
      // @ts-expect-error -- it is given no promise: that is a map
      made.mapAsync((n) => n);
      // @ts-expect-error -- numbers do not fit a sink of texts
      made.sink('write', out);
    });
  });

  test('a capacity or a time out of bounds, a generator and what is no function are refused', () => {
    const defining =
      (fn: unknown, options: MapAsyncOptions = {}) =>
      () =>
        asking(fn as never, options);
    const answer = async (word: string) => word;
    expect(defining(answer, { capacity: 0 })).toThrow('the function of mapAsync: capacity is 0, and must be a whole number of 1 to 10000');
    expect(defining(answer, { timeoutMs: 0.5 })).toThrow('timeoutMs is 0.5, and must be a whole number of 1 to 450000');
    expect(defining(async function* () {})).toThrow('job asking: the function of mapAsync is a generator');
    expect(defining('fetch')).toThrow('job asking: the function of mapAsync is string, not a function');
  });

  test('the plan knows how long a stage may wait for an answer', () => {
    const { stages } = compilePlan(asking(async (word) => word, { timeoutMs: 7_000 }));
    expect(stages.map(({ id, longestCallMs }) => [id, longestCallMs])).toEqual([
      ['read', 7_000],
      ['write', undefined],
    ]);
  });
});
