import {
  connect,
  type DataStream,
  defineJob,
  int64,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  sessionWindows,
  slidingWindows,
  type TimeWindows,
  tumblingWindows,
  utf8,
  valueState,
  type WindowContext,
  type WindowOptions,
  withTtl,
} from '../../../lib/api/index.ts';
import type { StartingOffsets } from '../../../lib/config/starting-offsets.ts';
import { INPUT, JOB, LATER_INPUT, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { type Sighting, sightingsBy } from './lines.ts';
import { outOfOrder } from './timed.ts';

/*
 * Joins of windows and of tables, rankings and counts of what is different. Each is said twice: by its method, and by plain functions that
 * share no code with that. The second is what the sinks must be given.
 */

type Job = Parameters<Parameters<typeof defineJob>[1]>[0];
type Keyed = KeyedStream<string, Sighting>;
type Shown = DataStream<string>;

const sightings = (job: Job, uid: string, topic: string, startingOffsets: StartingOffsets, code: UserCode, timed = true) =>
  job
    .source(uid, kafkaSource({ topic, value: code.lines, startingOffsets, ...(timed && { eventTime: outOfOrder }) }))
    // What is kept of rows is state: both builds have it in one form.
    .flatMap(sightingsBy('a', code));
const byWord = (of: DataStream<Sighting>): Keyed => of.keyBy(({ word }) => word, utf8, { value: json<Sighting>() });

/** No sink is given the same twice: what is said again has another number. */
function write(shown: Shown, uid: string): void {
  shown
    .keyBy((text) => text, utf8)
    .process(`number-${uid}`, {
      state: { n: valueState(int64, 0) },
      onRecord(text, { n }, out: Output<string>) {
        out.emit(`${text} is ${n.update((before) => before + 1)}`);
      },
    })
    .sink(uid, kafkaSink({ topic: uid, value: utf8 }));
}

const late = (of: DataStream<Sighting>): Shown => of.map(({ word, place }) => `late ${word} ${place}`);

// --- Window joins ---

interface Pairing {
  /** What comes of pairs, and what came late. */
  readonly pair: (
    lefts: DataStream<Sighting>,
    rights: DataStream<Sighting>,
    windows: TimeWindows,
    options: WindowOptions,
  ) => readonly [Shown, Shown];
}

const shownPair = (
  one: Sighting | undefined,
  other: Sighting | undefined,
  { key, startMs, endMs, isEarly, isUpdate }: WindowContext<string>,
) => `${key} ${startMs} to ${endMs}: ${one?.place} with ${other?.place}${isEarly ? ' early' : ''}${isUpdate ? ' again' : ''}`;

const byJoin: Pairing = {
  pair(lefts, rights, windows, options) {
    const made = byWord(lefts).window(windows, options).join('pair', byWord(rights), { type: 'full', join: shownPair });
    return [made, late(made.late)];
  },
};

const byLoops: Pairing = {
  pair(lefts, rights, windows, options) {
    const tagged = lefts.map((of) => ({ side: 'left', of })).union(rights.map((of) => ({ side: 'right', of })));
    const made = tagged
      .keyBy(({ of }) => of.word, utf8)
      .window(windows, options)
      .process(
        'pair',
        (all, context, out: Output<string>) => {
          for (const one of all)
            for (const other of all) if (one.side === 'left' && other.side === 'right') out.emit(shownPair(one.of, other.of, context));
          if (all.every(({ side }) => side === 'left')) for (const { of } of all) out.emit(shownPair(of, undefined, context));
          if (all.every(({ side }) => side === 'right')) for (const { of } of all) out.emit(shownPair(undefined, of, context));
        },
        json(),
      );
    return [made, late(made.late.map(({ of }) => of))];
  },
};

function paired(name: string, windows: TimeWindows, options: WindowOptions): SimJob {
  const define =
    ({ pair }: Pairing): SimJob['define'] =>
    (_build, startingOffsets, code = faultless) =>
      defineJob(JOB, (job) => {
        const [lefts, rights] = [
          sightings(job, 'read', INPUT, startingOffsets, code),
          sightings(job, 'read-later', LATER_INPUT, startingOffsets, code),
        ];
        const [pairs, tooLate] = pair(lefts, rights, windows, options);
        write(pairs, 'write');
        write(tooLate, 'write-late');
      });
  return { name, define: define(byJoin), plain: define(byLoops) };
}

// --- Rankings ---

/** Many are equal. */
const weightOf = ({ place }: Sighting) => [...place].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 5;
const inOrder = (one: Sighting, other: Sighting) =>
  weightOf(other) - weightOf(one) || Buffer.compare(Buffer.from(JSON.stringify(one)), Buffer.from(JSON.stringify(other)));
const places = (all: readonly Sighting[]) => all.map(({ word, place }) => `${word} ${place}`).join(', ');

interface Count {
  readonly word: string;
  readonly n: number;
  readonly endMs: number;
}

const LATENESS_MS = 700;
const fives = slidingWindows({ sizeMs: 500, slideMs: 200 });

/** What a window has of each word. */
const counts = (keyed: Keyed, options: WindowOptions) =>
  keyed.window(fives, options).aggregate('count', {
    accumulator: int64,
    initial: 0,
    add: (n) => n + 1,
    merge: (one, other) => one + other,
    result: (n, { key: word, endMs }): Count => ({ word, n, endMs }),
  });
const shownCounts = (endMs: number, all: readonly Count[]) => `${endMs}: ${all.map(({ word, n }) => `${word} ${n}`).join(', ')}`;

interface Rankings {
  readonly ofWindow: (keyed: Keyed) => Shown;
  readonly ofWords: (counted: ReturnType<typeof counts>) => Shown;
  readonly running: (keyed: Keyed) => Shown;
}

const byTopN: Rankings = {
  ofWindow: (keyed) =>
    keyed
      .window(fives, { allowedLatenessMs: 200 })
      .topN('best', { n: 2, by: weightOf, withTies: true })
      .map(({ key, startMs, value }) => `${key} ${startMs}: ${places(value)}`),
  ofWords: (counted) =>
    counted.topN('most', { n: 2, by: ({ n }) => n }, { value: json<Count>() }).map(({ endMs, value }) => shownCounts(endMs, value)),
  running: (keyed) =>
    keyed
      .topN('ranks', { n: 3, compare: (one, other) => weightOf(other) - weightOf(one) })
      .map(({ key, rank, value }) => `${key} ${rank} ${places([value])}`),
};

const bySorting: Rankings = {
  ofWindow: (keyed) =>
    keyed.window(fives, { allowedLatenessMs: 200 }).process(
      'best',
      (all, { key, startMs }, out: Output<string>) => {
        const sorted = all.toSorted(inOrder);
        const second = sorted[1];
        const best = second === undefined ? sorted : sorted.filter((one) => weightOf(one) >= weightOf(second));
        out.emit(`${key} ${startMs}: ${places(best)}`);
      },
      json<Sighting>(),
    ),
  ofWords: (counted) =>
    counted
      .keyBy(({ endMs }) => endMs - 1, int64)
      .process('most', {
        state: { newest: mapState(utf8, int64) },
        onRecord({ word, n }, { newest }, _out, { key, timers }) {
          newest.set(word, n);
          timers.setEventTime(key);
          timers.setEventTime(key + LATENESS_MS);
        },
        onTimer({ timeMs }, { newest }, out: Output<string>, { key }) {
          if (timeMs !== key) return newest.clear();
          const all = [...newest].map(([word, n]) => ({ word, n, endMs: key + 1 }));
          const textOf = (one: Count) => Buffer.from(JSON.stringify(one));
          const sorted = all.sort((one, other) => other.n - one.n || Buffer.compare(textOf(one), textOf(other)));
          out.emit(shownCounts(key + 1, sorted.slice(0, 2)));
        },
      }),
  running: (keyed) =>
    keyed.process('ranks', {
      state: { all: listState(json<Sighting>()) },
      onRecord(sighting, { all }, out: Output<string>, { key }) {
        const bestOf = () => [...all].sort(inOrder).slice(0, 3);
        const before = bestOf().map(({ place }) => place);
        all.add(sighting);
        for (const [index, one] of bestOf().entries()) if (before[index] !== one.place) out.emit(`${key} ${index + 1} ${places([one])}`);
      },
    }),
};

function ranked(name: string, options: WindowOptions): SimJob {
  const define =
    ({ ofWindow, ofWords, running }: Rankings): SimJob['define'] =>
    (_build, startingOffsets, code = faultless) =>
      defineJob(JOB, (job) => {
        const keyed = byWord(sightings(job, 'read', INPUT, startingOffsets, code));
        write(ofWindow(keyed), 'write-best');
        write(ofWords(counts(keyed, options)), 'write');
        write(running(keyed), 'write-ranks');
      });
  return { name, define: define(byTopN), plain: define(bySorting) };
}

// --- Tables, and what is different ---

const TTL_MS = 900;
const isDeleted = ({ place }: Sighting) => place.endsWith('1') || place.endsWith('4.0');
const isOtherDeleted = ({ place }: Sighting) => place.endsWith('2') || place.endsWith('7.0');
const shownRow = (one: Sighting | undefined, other: Sighting | undefined) => `${one?.place} and ${other?.place}`;

interface Tables {
  readonly join: (lefts: Keyed, rights: Keyed) => Shown;
  readonly different: (keyed: Keyed) => Shown;
  readonly differentInWindow: (keyed: Keyed) => Shown;
}

const tenths = sessionWindows({ gapMs: 200 });
const lastOf = ({ place }: Sighting) => place.slice(-3);

const byMethod: Tables = {
  join: (lefts, rights) =>
    lefts
      .joinTables('tables', rights, { type: 'left', isLeftDeleted: isDeleted, isRightDeleted: isOtherDeleted, join: shownRow })
      .map(({ key, value }) => `${key} has ${value}`),
  different: (keyed) => keyed.distinctCount('different', lastOf, utf8, { ttlMs: TTL_MS }).map(({ key, count }) => `${key} had ${count}`),
  differentInWindow: (keyed) =>
    keyed
      .window(tenths, { allowedLatenessMs: 300 })
      .distinctCount('different-then', lastOf, utf8)
      .map(({ key, startMs, endMs, value }) => `${key} ${startMs} to ${endMs} had ${value}`),
};

const byHand: Tables = {
  join(lefts, rights) {
    const kept = { left: listState(json<Sighting>()), right: listState(json<Sighting>()) };
    /** All that came; the last counts. */
    const last = (list: Iterable<Sighting>, deleted: (one: Sighting) => boolean) => {
      const one = [...list].at(-1);
      return one === undefined || deleted(one) ? undefined : one;
    };
    const shown = (left: Iterable<Sighting>, right: Iterable<Sighting>) => {
      const [one, other] = [last(left, isDeleted), last(right, isOtherDeleted)];
      return one === undefined ? undefined : shownRow(one, other);
    };
    return connect({ lefts, rights }).process('tables', {
      state: kept,
      on: {
        lefts(sighting, { left, right }, out: Output<string>, { key }) {
          const before = shown(left, right);
          left.add(sighting);
          const after = shown(left, right);
          if (before !== undefined || after !== undefined) out.emit(`${key} has ${after}`);
        },
        rights(sighting, { left, right }, out: Output<string>, { key }) {
          const wasThere = last(right, isOtherDeleted) !== undefined;
          right.add(sighting);
          const after = shown(left, right);
          if (after !== undefined && (wasThere || !isOtherDeleted(sighting))) out.emit(`${key} has ${after}`);
        },
      },
    });
  },
  different: (keyed) =>
    keyed.process('different', {
      state: { all: withTtl(listState(utf8), { ttlMs: TTL_MS }) },
      onRecord(sighting, { all }, out: Output<string>, { key }) {
        all.add(lastOf(sighting));
        out.emit(`${key} had ${new Set(all).size}`);
      },
    }),
  differentInWindow: (keyed) =>
    keyed
      .window(tenths, { allowedLatenessMs: 300 })
      .process(
        'different-then',
        (all, { key, startMs, endMs }, out: Output<string>) =>
          out.emit(`${key} ${startMs} to ${endMs} had ${new Set(all.map(lastOf)).size}`),
        json<Sighting>(),
      ),
};

/** In no order of time, which tables need none of. */
const tables: SimJob = (() => {
  const define =
    ({ join, different }: Tables): SimJob['define'] =>
    (_build, startingOffsets, code = faultless) =>
      defineJob(JOB, (job) => {
        const [lefts, rights] = [
          byWord(sightings(job, 'read', INPUT, startingOffsets, code, false)),
          byWord(sightings(job, 'read-later', LATER_INPUT, startingOffsets, code, false)),
        ];
        write(join(lefts, rights), 'write');
        write(different(lefts), 'write-different');
      });
  return { name: 'tables', define: define(byMethod), plain: define(byHand) };
})();

const visitors: SimJob = (() => {
  const define =
    ({ differentInWindow }: Tables): SimJob['define'] =>
    (_build, startingOffsets, code = faultless) =>
      defineJob(JOB, (job) => {
        write(differentInWindow(byWord(sightings(job, 'read', INPUT, startingOffsets, code))), 'write');
      });
  return { name: 'visitors', define: define(byMethod), plain: define(byHand) };
})();

/** Joins and shapes that are windows or tables. */
export const tableJobs: readonly SimJob[] = [
  paired('pairs', slidingWindows({ sizeMs: 600, slideMs: 250 }), { allowedLatenessMs: 400 }),
  paired('pairs-of-sessions', sessionWindows({ gapMs: 150 }), { allowedLatenessMs: 300, earlyEveryMs: 800 }),
  paired('pairs-of-tumbling', tumblingWindows({ sizeMs: 700 }), {}),
  ranked('ranks', { allowedLatenessMs: LATENESS_MS }),
  ranked('ranks-once', {}),
  tables,
  tables,
  visitors,
];
