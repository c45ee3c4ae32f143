import { defineJob, int64, json, kafkaSink, slidingWindows, tumblingWindows } from '../../lib/api/index.ts';
import { isBid, timedEvents } from './events.ts';
import { greatest } from './greatest.ts';

const SIZE_MS = 10_000;
const SLIDE_MS = 2_000;

interface Counted {
  readonly auction: number;
  readonly num: number;
  readonly starttime: number;
  readonly endtime: number;
}

/** Every two seconds the auctions with the most bids in the last ten. */
export default defineJob('nexmark-q5', (job) => {
  job
    .source('read-events', timedEvents)
    .filter(isBid)
    .map(({ auction }) => auction)
    .keyBy((auction) => auction, int64)
    .window(slidingWindows({ sizeMs: SIZE_MS, slideMs: SLIDE_MS }))
    .aggregate('count-bids', {
      accumulator: int64,
      initial: 0,
      add: (num) => num + 1,
      merge: (num, more) => num + more,
      result: (num, { key: auction, startMs: starttime, endMs: endtime }): Counted => ({ auction, num, starttime, endtime }),
    })
    // All counts of a window have its last millisecond for their time: this is the one window of SLIDE_MS that ends with it.
    .keyBy(({ endtime }) => endtime, int64)
    .window(tumblingWindows({ sizeMs: SLIDE_MS }))
    .aggregate(
      'keep-most',
      greatest<Counted>(({ num }) => num),
    )
    .flatMap(({ value: most }) => most)
    .sink('write-results', kafkaSink({ topic: 'nexmark-q5', value: json() }));
});
