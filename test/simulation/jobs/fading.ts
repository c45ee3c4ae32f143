import {
  aggregatingState,
  defineJob,
  int32,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  utf8,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless } from '../user-code.ts';
import { sightingsBy, timesOf } from './lines.ts';

interface Item {
  readonly by: string;
  times: number;
}

/** A sum, and of how many. */
interface Mean {
  sum: number;
  n: number;
}

/**
 * Of each word and of each letter what was seen lately: states of every kind that expire, after times of their own, refreshed by writes or
 * by reads as well, beside one that stays. Objects are changed in place. What is written shows what was left; with some words a state is
 * only looked at, or not touched at all.
 */
const fading: SimJob = {
  name: 'fading',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const sightings = job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(sightingsBy(build, code));
      sightings
        .keyBy(({ word }) => word, utf8)
        .process('recent', {
          state: {
            count: withTtl(valueState(int64, 0), { ttlMs: 600 }),
            last: withTtl(valueState(json<Item>(), { by: 'nobody', times: 0 }), { ttlMs: 1_100 }),
            read: withTtl(valueState(utf8), { ttlMs: 900, refreshOn: 'read-and-write' }),
            longest: withTtl(
              reducingState(utf8, (one, other) => (other.length > one.length ? other : one)),
              { ttlMs: 1_700 },
            ),
            ever: valueState(int64, 0),
          },
          onRecord({ word, place, weight }, { count, last, read, longest, ever }, out: Output<string>, { key, processingTimeMs }) {
            for (let left = timesOf(build, weight); left > 0; left--) {
              const n = ever.update((before) => before + 1);
              const held = n % 3 === 0 ? undefined : last.get();
              longest.add(place);
              const seen = `${count.get()} ${held?.by} ${held?.times} ${n % 2 === 0 ? read.get() : 'unread'} ${longest.get()}`;
              out.emit(`${key} ${place} is ${n} at ${processingTimeMs}: ${seen}`);
              if (held !== undefined) held.times++;
              if (n % 4 === 0) last.set({ by: place, times: 0 });
              if (n % 5 === 1) read.set(place);
              if (n % 2 === 1) count.update((before) => before + 1);
              if (n % 9 === 0) for (const state of [count, last, read, longest, ever]) state.clear();
            }
            code.check('operator', word);
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      sightings
        .keyBy(({ word }) => word.slice(0, 1), utf8)
        .process('shelves', {
          state: {
            trail: withTtl(listState(json<Item>()), { ttlMs: 800 }),
            read: withTtl(listState(utf8), { ttlMs: 700, refreshOn: 'read-and-write' }),
            shelf: withTtl(mapState(utf8, json<Item>()), { ttlMs: 1_300 }),
            ranks: withTtl(mapState(int32, utf8), { ttlMs: 500, refreshOn: 'read-and-write' }),
            mean: withTtl(
              aggregatingState(json<Mean>(), {
                initial: { sum: 0, n: 0 },
                add(held, length: number) {
                  held.sum += length;
                  held.n++;
                  return held;
                },
                result: ({ sum, n }) => sum / n,
              }),
              { ttlMs: 1_000, refreshOn: 'read-and-write' },
            ),
          },
          onRecord({ word, place, weight }, { trail, read, shelf, ranks, mean }, out: Output<string>, { key }) {
            const turn = Number.parseInt(place, 10) || 0;
            for (let left = timesOf(build, weight); left > 0; left--) {
              if (turn % 2 === 0) mean.add(place.length);
              const held = shelf.get(word);
              if (held === undefined) shelf.set(word, { by: place, times: 1 });
              else held.times++;
              if (turn % 7 === 0) shelf.delete(`${word}s`);
              ranks.set(turn % 11, place);
              const rank = ranks.get((turn * 5) % 11) ?? 'none';
              if (turn % 3 > 0) trail.add({ by: place, times: 0 });
              if (turn % 4 === 0) for (const item of trail) item.times++;
              if (trail.length > 3) trail.set(1, { by: word, times: 7 });
              if (turn % 5 === 0) read.add(place);
              const oldest = turn % 3 === 0 ? [...read].join(' ') : read.at(1);
              const way = [...trail].map(({ by, times }) => `${by} ${times}`).join(', ');
              const shown =
                turn % 2 === 0
                  ? [...shelf.keys()].join(' ')
                  : [...shelf].map(([name, { by, times }]) => `${name} ${by} ${times}`).join(', ');
              const names = turn % 4 === 1 ? [...ranks].join(' ') : `${ranks.size} ${[...ranks.keys()]} ${ranks.has(3)}`;
              out.emit(
                `${key} ${word} ${place}: ${shown}; ${rank} of ${names}; ${way}; ${oldest} of ${read.length}; ${turn % 3 === 1 ? mean.get() : ''}`,
              );
              if (turn % 13 === 0) trail.clear();
            }
            code.check('operator', word);
          },
        })
        .sink('write-shelves', kafkaSink({ topic: 'shelves', value: utf8 }));
    }),
};

/** Jobs whose state expires. */
export const fadingJobs: readonly SimJob[] = [fading];
