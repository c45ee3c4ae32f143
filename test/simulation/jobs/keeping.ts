import {
  defineJob,
  float64,
  int32,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  type Output,
  structured,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { type Build, INPUT, JOB, LATER_INPUT, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { type Sighting, sightingsBy, timesOf, wordsBy } from './lines.ts';

/**
 * Several states of other kinds for each word. One is changed in place and never set. What is written shows what was there before,
 * so the order in which a word's records came is seen; with every fourth the word is forgotten, state by state.
 */
const profiles: SimJob = {
  name: 'profiles',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      job
        .source(
          'read',
          kafkaSource({
            topic: INPUT,
            value: code.lines,
            startingOffsets,
            select: ({ value = '', partition, offset }) => ({ line: value, from: `${partition}/${offset}` }),
          }),
        )
        .flatMap(({ line, from }) => sightingsBy(build, code)(line).map((sighting) => ({ ...sighting, from })))
        .keyBy(({ word }) => word, utf8)
        .process('profile', {
          state: {
            seen: valueState(int64, 0),
            last: valueState(utf8),
            places: valueState(json<string[]>(), []),
            mean: valueState(float64, 0.5),
          },
          onRecord({ word, place, from, weight }, { seen, last, places, mean }, out: Output<string>, { key }) {
            for (let left = timesOf(build, weight); left > 0; left--) {
              const n = seen.update((before) => before + 1);
              const kept = places.get();
              out.emit(`${key} ${place} from ${from}: ${n}, behind ${last.get() ?? 'nothing'} and ${kept.join('+')}, ${mean.get()}`);
              kept.push(place);
              last.set(place);
              if (n > 1) mean.update((before) => (before + place.length) / 2);
              if (n % 4 > 0) continue;
              seen.clear();
              last.clear();
              places.clear();
              mean.clear();
            }
            code.check('operator', word);
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

interface Routed {
  place: string;
  readonly word: string;
  readonly rank: number;
}

/**
 * Two keyed operators behind one keyBy, whose key is a number; behind one of them a flatMap and two branches, each with a sink of
 * its own: one writes keys and headers, and tombstones, the other says the partition itself. A branch changes its value in place.
 */
const routes: SimJob = {
  name: 'routes',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const keyed = job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(sightingsBy(build, code))
        .keyBy(({ word }) => word.charCodeAt(0) % 5, int32);
      const routed = keyed
        .process('rank', ranking(build, code))
        .flatMap((routed) => (routed.rank % 3 === 0 ? [routed, { ...routed, place: `${routed.place}.twin` }] : [routed]));
      routed
        .map((changed) => {
          changed.place = `${changed.place}!`;
          return changed;
        })
        .filter(({ rank }) => rank % 2 === 0)
        .sink(
          'even',
          kafkaSink({
            topic: 'even',
            value: utf8,
            toRecord: ({ place, word, rank }) => ({ value: `${word} ${place} ${rank}`, partition: 0 }),
          }),
        );
      routed.sink(
        'all',
        kafkaSink({
          topic: 'all',
          key: utf8,
          value: utf8,
          toRecord: ({ place, word, rank }) => ({
            key: word,
            value: rank % 5 === 0 ? undefined : `${word} ${place}`,
            headers: [{ key: 'place', value: Buffer.from(place) }],
            timestamp: 1_000_000 + rank,
          }),
        }),
      );
      keyed.process('keep-latest', latest(build)).sink('write-latest', kafkaSink({ topic: 'latest', value: utf8 }));
    }),
};

function ranking(build: Build, code: UserCode) {
  return {
    state: { rank: valueState(structured, { rank: 0 }) },
    onRecord({ word, place, weight }: Sighting, { rank }: { rank: { get(): unknown } }, out: Output<Routed>) {
      const own = rank.get() as { rank: number };
      for (let left = timesOf(build, weight); left > 0; left--) {
        own.rank++;
        out.emit({ word, place, rank: own.rank });
      }
      code.check('operator', word);
    },
  };
}

function latest(build: Build) {
  return {
    state: { word: valueState(utf8), run: valueState(int32, 0) },
    onRecord(
      { word, place, weight }: Sighting,
      {
        word: before,
        run,
      }: {
        word: { get(): string | undefined; set(word: string): void };
        run: { update(fn: (n: number) => number): number; clear(): void };
      },
      out: Output<string>,
    ) {
      if (before.get() !== word) run.clear();
      before.set(word);
      out.emit(`${place}: ${word}, ${run.update((n) => n + timesOf(build, weight))} in a row`);
    },
  };
}

/**
 * Two sources, each with a chain of its own, into one topic. Behind the first two keyed stages: the second one's state hangs on
 * the order in which the subtasks of the first hand on what they made.
 */
const meeting: SimJob = {
  name: 'meeting',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const trails = job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(sightingsBy(build, code))
        .keyBy(({ word }) => word, utf8)
        .process('number', {
          state: { n: valueState(int64, 0) },
          onRecord({ word, place, weight }, { n }, out: Output<Sighting & { readonly n: number }>) {
            for (let left = timesOf(build, weight); left > 0; left--)
              out.emit({ word, place, weight, n: n.update((before) => before + 1) });
            code.check('operator', word);
          },
        })
        .filter(({ n }) => n % 5 > 0)
        .keyBy(({ word }) => word.slice(0, 1), utf8)
        .process('trail', {
          state: { hash: valueState(int64, 7), last: valueState(json<{ readonly word: string; readonly n: number } | null>(), null) },
          onRecord({ word, place, n }, { hash, last }, out: Output<string>, { key }) {
            const before = last.get();
            const now = hash.update((of) => (of * 31 + n + place.length * word.charCodeAt(1)) % 1_000_003);
            out.emit(`trail ${key} ${word} ${place}: ${now}, behind ${before?.word} ${before?.n}`);
            last.set({ word, n });
            code.check('operator', key);
          },
        });
      trails.sink('write-trails', kafkaSink({ topic: 'output', value: utf8 }));
      job
        .source('read-later', kafkaSource({ topic: LATER_INPUT, value: code.lines, startingOffsets }))
        .filter((line) => wordsBy(code)(line).length > 1)
        .map((line) => `line ${line}`)
        .sink(
          'write-lines',
          kafkaSink({ topic: 'output', value: utf8, key: utf8, toRecord: (line) => ({ key: line.slice(-3), value: line }) }),
        );
    }),
};

/** Jobs whose result cannot be said in one line: only by running them. */
export const keepingJobs: readonly SimJob[] = [profiles, routes, meeting];
