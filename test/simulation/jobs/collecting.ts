import {
  aggregatingState,
  defineJob,
  int32,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  type Output,
  reducingState,
  utf8,
} from '../../../lib/api/index.ts';
import { INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless } from '../user-code.ts';
import { sightingsBy, timesOf } from './lines.ts';

interface Item {
  readonly by: string;
  times: number;
}

/**
 * Of each letter a map and a list whose objects are changed in place, and two states that add up. What is written shows the map's
 * entries in their order, which is not that in which they came; entries go one by one and all at once, and with the last state the key.
 */
const shelves: SimJob = {
  name: 'shelves',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(sightingsBy(build, code))
        .keyBy(({ word }) => word.slice(0, 1), utf8)
        .process('shelve', {
          state: {
            shelf: mapState(utf8, json<Item>()),
            ranks: mapState(int32, utf8),
            trail: listState(json<Item>()),
            n: reducingState(int32, (one, other) => one + other),
            mean: aggregatingState(json<{ sum: number; n: number }>(), {
              initial: { sum: 0, n: 0 },
              add(held, length: number) {
                held.sum += length;
                held.n++;
                return held;
              },
              result: ({ sum, n }) => sum / n,
            }),
          },
          onRecord({ word, place, weight }, { shelf, ranks, trail, n, mean }, out: Output<string>, { key }) {
            for (let left = timesOf(build, weight); left > 0; left--) {
              n.add(1);
              mean.add(place.length);
              const count = n.get() ?? 0;
              const slot = `${word}${(Number.parseInt(place, 10) * 7) % 10}`;
              const held = shelf.get(slot);
              if (held === undefined) shelf.set(slot, { by: place, times: 1 });
              else if (held.times === 2) shelf.delete(slot);
              else held.times++;
              ranks.set((count * 5) % 7, place);
              for (const [rank, by] of ranks) if (by.endsWith('.1') && rank % 2 === 1) ranks.delete(rank);
              trail.add({ by: place, times: count });
              for (const item of trail) if (item.times % 3 === 0) item.times += 7;
              if (trail.length > 4) trail.set(1, { by: word, times: count });
              const shown = [...shelf].map(([name, { by, times }]) => `${name} ${by} ${times}`).join(', ');
              const way = [...trail].map(({ by, times }) => `${by} ${times}`).join(', ');
              out.emit(`${key} ${place} ${count} of ${mean.get()}: ${shown}; ${[...ranks.keys()]}; ${[...ranks.values()]}; ${way}`);
              if (count % 6 === 0) trail.clear();
              if (count % 11 === 0) shelf.clear();
              if (count % 17 > 0) continue;
              for (const state of [shelf, ranks, trail, n, mean]) state.clear();
            }
            code.check('operator', word);
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** Jobs whose states hold more than a value of each key. */
export const collectingJobs: readonly SimJob[] = [shelves];
