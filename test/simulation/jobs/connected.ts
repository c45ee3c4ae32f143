import {
  connect,
  type DataStream,
  defineJob,
  int64,
  kafkaSink,
  kafkaSource,
  type MapState,
  mapState,
  type Output,
  utf8,
  type ValueState,
  valueState,
} from '../../../lib/api/index.ts';
import { type Build, INPUT, JOB, LATER_INPUT, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { type Sighting, sightingsBy, timesOf } from './lines.ts';
import { plainIntervalJoin, plainVersionJoin } from './plain-joins.ts';
import { bees, outOfOrder } from './timed.ts';

const words = (lines: DataStream<string>, build: Build, code: UserCode) => lines.flatMap(sightingsBy(build, code));
const byWord = (sightings: DataStream<Sighting>) => sightings.keyBy(({ word }) => word, utf8);

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** What is said of a letter is broadcast, and read by each word that begins with it. The last word counts, and how often there was one. */
const rules: SimJob = {
  name: 'rules',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }));
      const later = job.source('read-later', kafkaSource({ topic: LATER_INPUT, value: code.lines, startingOffsets }));
      connect({ words: byWord(words(lines, build, code)), rules: words(later, build, code).broadcast() })
        .process('judge', {
          state: { n: valueState(int64, 0) },
          broadcastState: { last: mapState(utf8, utf8), told: valueState(int64, 0) },
          on: {
            rules({ word, place, weight }, { last, told }) {
              for (let left = timesOf(build, weight); left > 0; left--) {
                const letter = word.slice(0, 1);
                if (told.update((n) => n + 1) % 5 === 0) last.delete(letter);
                else last.set(letter, `${word} ${place}`);
              }
              code.check('operator', word);
            },
            words({ word, place, weight }, { n, last, told }, out: Output<string>, { key }) {
              // They may not, and each subtask would do it by itself.
              const made = [
                () => (told as ValueState<number, number>).set(-1),
                () => (last as MapState<string, string>).set('none', place),
              ].filter(succeeds);
              for (let left = timesOf(build, weight); left > 0; left--)
                out.emit(
                  `${key} ${place} is ${n.update((m) => m + 1)}, by ${last.get(key.slice(0, 1))}, ${told.get()}, ${last.size}, ${made.length}`,
                );
              code.check('operator', word);
            },
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** What a stage makes is broadcast to the one behind it, beside what a source says that is read by key as well; timers read it. */
const relayed: SimJob = {
  name: 'relayed',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }));
      const later = job.source('read-later', kafkaSource({ topic: LATER_INPUT, value: code.lines, startingOffsets, eventTime: bees }));
      const counted = byWord(words(later, build, code)).process('count', {
        state: { n: valueState(int64, 0) },
        onRecord({ word, weight }, { n }, out: Output<{ word: string; n: number }>) {
          for (let left = timesOf(build, weight); left > 0; left--) out.emit({ word, n: n.update((m) => m + 1) });
          code.check('operator', word);
        },
      });
      connect({
        words: byWord(words(lines, build, code)),
        counts: counted.broadcast(),
        places: words(lines, build, code)
          .map(({ place }) => place)
          .broadcast({ value: utf8 }),
      })
        .process('compare', {
          state: { last: valueState(utf8, '') },
          broadcastState: { counts: mapState(utf8, int64), order: valueState(utf8, '') },
          on: {
            words({ place, weight }, { last, counts, order }, out: Output<string>, { key, timestamp, timers }) {
              for (let left = timesOf(build, weight); left > 0; left--)
                out.emit(
                  `${key} ${place} behind ${last.get()}, ${counts.get(key)} of ${[...counts.keys()].join(' ')}, told ${order.get()}`,
                );
              last.set(place);
              timers.setEventTime(timestamp + 200);
            },
            counts({ word, n }, { counts, order }) {
              counts.set(word, n);
              order.update((before) => `${before} ${word}${n}`.slice(-60));
            },
            places(place, { order }) {
              order.update((before) => `${before} ${place}`.slice(-60));
            },
          },
          onTimer({ timeMs }, { last, counts, order }, out: Output<string>, { key }) {
            out.emit(`${key} at ${timeMs} behind ${last.get()}, ${counts.size}, told ${order.get()}`);
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** Two streams, each with a function of its own, the second with an operator that reads it alone; and the same two as one, which is changed in place. */
const meetings: SimJob = {
  name: 'meetings',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = words(job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets })), build, code);
      const later = words(job.source('read-later', kafkaSource({ topic: LATER_INPUT, value: code.lines, startingOffsets })), build, code);
      byWord(
        lines.union(later).map((sighting) => {
          (sighting as { place: string }).place += ' together';
          return sighting;
        }),
      )
        .process('together', {
          state: { n: valueState(int64, 0) },
          onRecord({ word, place, weight }, { n }, out: Output<string>) {
            for (let left = timesOf(build, weight); left > 0; left--) out.emit(`${word} ${place} is ${n.update((m) => m + 1)}`);
          },
        })
        .sink('write-together', kafkaSink({ topic: 'together', value: utf8 }));
      const laterByWord = byWord(later);
      laterByWord.process('alone', {
        state: { last: valueState(utf8, '') },
        onRecord({ place }, { last }) {
          last.set(place);
        },
      });
      connect({ lines: byWord(lines), later: laterByWord })
        .process('meet', {
          state: { there: valueState(utf8, 'nothing'), n: valueState(int64, 0) },
          on: {
            lines({ word, place, weight }, { there, n }, out: Output<string>) {
              for (let left = timesOf(build, weight); left > 0; left--)
                out.emit(`${word} ${place} meets ${there.get()}, ${n.update((m) => m + 1)}`);
              code.check('operator', word);
            },
            later({ place, weight }, { there, n }) {
              for (let left = timesOf(build, weight); left > 0; left--) n.update((m) => m + 100);
              there.set(place);
            },
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** Two streams in one order of time. */
const ordered: SimJob = {
  name: 'ordered-meetings',
  define: (_build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const source = (uid: string, topic: string) =>
        // Rows that wait are state: both builds have them in one form.
        words(job.source(uid, kafkaSource({ topic, value: code.lines, startingOffsets, eventTime: outOfOrder })), 'a', code);
      const met = connect({ lines: byWord(source('read', INPUT)), later: byWord(source('read-later', LATER_INPUT)) }).process('meet', {
        inTimeOrder: true,
        state: { there: valueState(utf8, 'nothing') },
        on: {
          lines({ word, place }, { there }, out: Output<string>, { timestamp }) {
            out.emit(`${word} ${place} at ${timestamp} meets ${there.get()}`);
          },
          later({ place }, { there }, _out, { timestamp, timers }) {
            there.set(place);
            timers.setEventTime(timestamp + 100);
          },
        },
        onTimer({ timeMs }, { there }, out: Output<string>, { key }) {
          out.emit(`${key} timer ${timeMs} meets ${there.get()}`);
          there.clear();
        },
      });
      met.sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      met.late.map(({ word, place }) => `late ${word} ${place}`).sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
    }),
};

const NEAR = { lowerBoundMs: -400, upperBoundMs: 300 };
const pair = (one: Sighting, other: Sighting | undefined) => `${one.word} ${one.place} with ${other?.place ?? 'nothing'}`;
const plainPair = (one: unknown, other: unknown) => pair(one as Sighting, other as Sighting | undefined);
const endsIn = (digit: string) => (sighting: unknown) => (sighting as Sighting).place.endsWith(digit);

/** The joins: by an interval of time, and as of a time. */
const joins: SimJob = {
  name: 'joins',
  rewritten: {
    near: plainIntervalJoin(NEAR, plainPair),
    version: plainVersionJoin(endsIn('1'), (row, version, out) => out.emit(plainPair(row, version))),
  },
  define: (_build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const source = (uid: string, topic: string) =>
        // Rows that wait are state: both builds have them in one form.
        words(job.source(uid, kafkaSource({ topic, value: code.lines, startingOffsets, eventTime: outOfOrder })), 'a', code);
      const [lines, later] = [source('read', INPUT), source('read-later', LATER_INPUT)];
      byWord(lines)
        .intervalJoin('near', byWord(later), { ...NEAR, type: 'left', join: pair })
        .sink('write-near', kafkaSink({ topic: 'near', value: utf8 }));
      byWord(lines)
        .asOfJoin('version', byWord(later), { isDeleted: endsIn('1'), type: 'left', join: pair })
        .sink('write-version', kafkaSink({ topic: 'version', value: utf8 }));
    }),
};

/** What is newest of a table, and the first of each word in a while. */
const lookups: SimJob = {
  name: 'lookups',
  rewritten: {
    'look-up': plainVersionJoin(endsIn('2'), (row, version, out) => {
      if (version !== undefined) out.emit(plainPair(row, version));
    }),
  },
  define: (_build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const source = (uid: string, topic: string) =>
        // What is kept of a table is state: both builds have it in one form.
        words(job.source(uid, kafkaSource({ topic, value: code.lines, startingOffsets })), 'a', code);
      const [lines, later] = [source('read', INPUT), source('read-later', LATER_INPUT)];
      byWord(lines)
        .tableJoin('look-up', byWord(later), {
          isDeleted: endsIn('2'),
          join: pair,
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      byWord(lines)
        .deduplicate('once', { forMs: 2_000 })
        .map(({ word, place }) => `${word} ${place}`)
        .sink('write-once', kafkaSink({ topic: 'once', value: utf8 }));
    }),
};

/** Several streams into one operator. */
export const connectedJobs: readonly SimJob[] = [rules, rules, relayed, meetings, ordered, joins, lookups];
