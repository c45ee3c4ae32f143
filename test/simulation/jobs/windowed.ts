import {
  cumulatingWindows,
  customSerde,
  defineJob,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  type Output,
  sessionWindows,
  slidingWindows,
  type TimeWindows,
  tumblingWindows,
  utf8,
  type WindowContext,
  type WindowOptions,
} from '../../../lib/api/index.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import { type Build, INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { type Sighting, sightingsBy, timesOf, weightIn } from './lines.ts';
import { outOfOrder } from './timed.ts';

/** Of what kind are the windows of a job's aggregate. The rest is drawn. */
const KINDS = ['sliding', 'session', 'tumbling', 'cumulating', 'sliding', 'session'] as const;
type Kind = (typeof KINDS)[number];

interface Drawn {
  readonly windows: TimeWindows;
  /** They cannot do without merge. */
  readonly isSession: boolean;
}

function drawWindows(dice: Dice, kind: Kind): Drawn {
  const unit = dice.whole(1, 4) * 100;
  const offsetMs = dice.pick([0, 0, -30, 70]);
  switch (kind) {
    case 'tumbling':
      return { windows: tumblingWindows({ sizeMs: unit * 2, offsetMs }), isSession: false };
    case 'sliding': {
      const sizeMs = unit * dice.whole(2, 4) + dice.pick([0, 50]);
      return { windows: slidingWindows({ sizeMs, slideMs: unit, offsetMs }), isSession: false };
    }
    case 'cumulating':
      return { windows: cumulatingWindows({ maxSizeMs: unit * dice.whole(2, 4), stepMs: unit, offsetMs }), isSession: false };
    case 'session':
      return { windows: sessionWindows({ gapMs: dice.whole(1, 12) * 100 }), isSession: true };
  }
}

function drawOptions(dice: Dice): WindowOptions {
  const early = dice.chance(0.4) && { earlyEveryMs: dice.whole(200, 1_500) };
  if (dice.chance(0.15)) return { time: 'processing-time', ...early };
  return { ...(dice.chance(0.6) && { allowedLatenessMs: dice.whole(1, 8) * 100 }), ...early };
}

const shown = (name: string, places: readonly string[], { key, startMs, endMs, count, isEarly, isUpdate }: WindowContext<string>) =>
  `${name} ${key} ${startMs} to ${endMs}: ${count}${isEarly ? ' early' : ''}${isUpdate ? ' again' : ''}, ${places.join(' ')}`;

/** Counts and lists what came, in whatever order. */
function folding(build: Build, code: UserCode, hasMerge: boolean) {
  return {
    accumulator: json<{ places: string[]; n: number }>(),
    initial: { places: [], n: 0 },
    add(seen: { places: string[]; n: number }, { word, place, weight }: Sighting) {
      code.check('operator', word);
      seen.places.push(place);
      seen.n += timesOf(build, weight);
      return seen;
    },
    ...(hasMerge && {
      merge: (one: { places: string[]; n: number }, other: { places: string[]; n: number }) => ({
        places: [...one.places, ...other.places],
        n: one.n + other.n,
      }),
    }),
    result: ({ places, n }: { places: string[]; n: number }, context: WindowContext<string>) =>
      shown(`folded ${n}`, places.toSorted(), context),
  };
}

/** What is kept of a sighting is the same whichever build keeps it. */
export function sightingOf(build: Build) {
  return customSerde<Sighting>({
    name: 'sighting',
    serialize: ({ word, place, weight }) => Buffer.from(JSON.stringify([word, place, timesOf(build, weight)])),
    deserialize: (bytes) => {
      const [word, place, times] = JSON.parse(bytes.toString()) as [string, string, number];
      return { word, place, weight: times * weightIn(build) };
    },
  });
}

function windowed(kind: Kind, index: number): SimJob {
  const dice = new Dice(hashOf(index, 'windows'));
  const of = { folded: drawWindows(dice, kind), listed: drawWindows(dice, dice.pick(KINDS)) };
  const options = { folded: drawOptions(dice), listed: drawOptions(dice) };
  const hasMerge = index > 0;
  return {
    name: `windows-${index}`,
    define: (build, startingOffsets, code = faultless) =>
      defineJob(JOB, (job) => {
        const keyed: KeyedStream<string, Sighting> = job
          .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }))
          .flatMap(sightingsBy(build, code))
          .keyBy(({ word }) => word, utf8);
        const folded = keyed
          .window(of.folded.windows, options.folded)
          .aggregate('fold', folding(build, code, of.folded.isSession || hasMerge));
        folded.sink('write', kafkaSink({ topic: 'output', value: utf8 }));
        folded.late
          .map(({ word, place, weight }) => `late ${word} ${place} ${timesOf(build, weight)}`)
          .sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
        keyed
          .window(of.listed.windows, options.listed)
          .process(
            'list',
            (sightings, context, out: Output<string>) =>
              out.emit(
                shown(
                  'listed',
                  sightings.map(({ place, weight }) => `${place}/${timesOf(build, weight)}`),
                  context,
                ),
              ),
            sightingOf(build),
          )
          .sink('write-listed', kafkaSink({ topic: 'listed', value: utf8 }));
      }),
  };
}

/** Jobs with windows of many kinds. */
export const windowedJobs: readonly SimJob[] = KINDS.map(windowed);
