import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless } from '../user-code.ts';
import { type Sighting, sightingsBy, timesOf } from './lines.ts';
import { outOfOrder } from './timed.ts';

const CALLS = { capacity: 4, timeoutMs: 700 };

/** Somebody is asked about each word, before it is counted and behind that; what timers make as well. */
const asking: SimJob = {
  name: 'asking',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }));
      const sightings = lines.flatMap(sightingsBy(build, code));
      const asked = sightings.mapAsync((sighting) => {
        code.check('source', sighting.word);
        return code.answer(sighting.word, { ...sighting, place: `${sighting.place} asked` });
      }, CALLS);
      asked
        .keyBy(({ word }) => word, utf8)
        .process('count', {
          state: { n: valueState(int64, 0) },
          onRecord({ word, place, weight }, { n }, out: Output<Sighting>, { timestamp, timers }) {
            for (let left = timesOf(build, weight); left > 0; left--)
              out.emit({ word, weight: 0, place: `${place} is ${n.update((before) => before + 1)}` });
            timers.setEventTime(timestamp + 150);
          },
          onTimer({ timeMs }, { n }, out: Output<Sighting>, { key }) {
            out.emit({ word: key, weight: 0, place: `timer ${timeMs} of ${n.get()}` });
          },
        })
        .mapAsync(({ word, place }) => {
          const text = `${word} ${place}`;
          // What timers have begun is of no record that could be left out.
          if (place.startsWith('timer')) return faultless.answer(word, text);
          code.check('operator', word);
          return code.answer(word, text);
        }, CALLS)
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      // What was asked and what was not, in one order of time. Rows that wait are state: both builds have them in one form.
      asked
        .union(sightings)
        .map(({ word, place }): Sighting => ({ word, place, weight: 0 }))
        .keyBy(({ word }) => word.slice(0, 1), utf8)
        .process('order', {
          inTimeOrder: true,
          state: { last: valueState(utf8, 'nothing') },
          onRecord({ word, place }, { last }, out: Output<string>, { key, timestamp }) {
            out.emit(`${key} ${word} ${place} at ${timestamp}, behind ${last.get()}`);
            last.set(`${word} ${place}`);
          },
        })
        .sink('write-order', kafkaSink({ topic: 'order', value: utf8 }));
    }),
};

/** Jobs whose functions do not answer at once. */
export const askingJobs: readonly SimJob[] = [asking];
