import {
  defineJob,
  int64,
  kafkaSink,
  kafkaSource,
  type Output,
  sideOutput,
  tumblingWindows,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless } from '../user-code.ts';
import { sightingsBy, timesOf } from './lines.ts';
import { outOfOrder } from './timed.ts';
import { sightingOf } from './windowed.ts';

interface Seen {
  readonly word: string;
  readonly place: string;
  readonly n: number;
  /** Which ways it went. */
  readonly ways: string[];
}

const going = (way: string) => (seen: Seen) => {
  seen.ways.push(way);
  return seen;
};
const shown = ({ word, place, n, ways }: Seen) => `${word} ${place} is ${n}, by ${ways.join(' and ')}`;

/**
 * What is made of a word goes on, and some of it aside as well: the same object, which each way changes. What goes aside is brought together
 * anew, and written twice; what two stages make is written by one sink. Timers and windows give aside too.
 */
const branching: SimJob = {
  name: 'branching',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const words = job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }))
        .flatMap(sightingsBy(build, code))
        .keyBy(({ word }) => word, utf8);
      const counted = words.process('count', {
        state: { n: valueState(int64, 0) },
        sideOutputs: { some: sideOutput<Seen>(), overdue: sideOutput<string>() },
        onRecord({ word, place, weight }, { n }, out: Output<Seen>, { timestamp, timers, sideOutputs }) {
          for (let left = timesOf(build, weight); left > 0; left--) {
            const seen = { word, place, n: n.update((before) => before + 1), ways: ['count'] };
            if (seen.n % 3 !== 0) sideOutputs.some.emit(seen);
            out.emit(seen);
            if (seen.n % 2 === 0) sideOutputs.some.emit({ ...seen, place: `${place} again` });
          }
          timers.setEventTime(timestamp + 150);
          code.check('operator', word);
        },
        onTimer({ timeMs }, { n }, _out, { key, sideOutputs }) {
          sideOutputs.overdue.emit(`${key} is overdue since ${timeMs}, ${n.get()}`);
        },
      });
      counted
        .map(going('the main way'))
        .map(shown)
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));

      const some = counted.sideOutput('some');
      some
        .map(going('the side'))
        .map(shown)
        .sink('write-some', kafkaSink({ topic: 'some', value: utf8 }));
      const letters = some
        .map(going('the letter'))
        .keyBy(({ word }) => word.slice(0, 1), utf8)
        .process('letters', {
          state: { last: valueState(utf8, 'nothing') },
          onRecord(seen, { last }, out: Output<string>, { key }) {
            out.emit(`${key} ${shown(seen)}, behind ${last.get()}`);
            last.set(`${seen.word} ${seen.place}`);
          },
        });
      letters.union(counted.sideOutput('overdue')).sink('write-both', kafkaSink({ topic: 'both', value: utf8 }));

      const listed = words.window(tumblingWindows({ sizeMs: 400 }), { allowedLatenessMs: 300 }).process(
        'list',
        (sightings, { key, startMs, isUpdate, sideOutputs }, out: Output<string>) => {
          const text = `${key} from ${startMs}: ${sightings.map(({ place }) => place).join(' ')}${isUpdate ? ' again' : ''}`;
          if (sightings.length > 1) sideOutputs.several.emit(text);
          else out.emit(text);
        },
        sightingOf(build),
        { sideOutputs: { several: sideOutput<string>() } },
      );
      listed.sideOutput('several').sink('write-several', kafkaSink({ topic: 'several', value: utf8 }));
      listed.sink('write-single', kafkaSink({ topic: 'single', value: utf8 }));
    }),
};

/** What goes several ways. */
export const branchingJobs: readonly SimJob[] = [branching];
