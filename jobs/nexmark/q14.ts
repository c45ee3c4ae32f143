import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { events, isBid } from './events.ts';

const HOUR_MS = 3_600_000;

/** Bids within a range of euros, with the time of day at which they were made and a count over their text. */
export default defineJob('nexmark-q14', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .filter(({ price }) => price * 908 > 1_000_000 * 1000 && price * 908 < 50_000_000 * 1000)
    .map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: Math.floor((price * 908) / 1000),
      bidTimeType: timeOfDay(Math.floor(dateTime / HOUR_MS) % 24),
      dateTime,
      extra,
      c_counts: extra.split('c').length - 1,
    }))
    .sink('write-results', kafkaSink({ topic: 'nexmark-q14', value: json() }));
});

function timeOfDay(hour: number): 'dayTime' | 'nightTime' | 'otherTime' {
  if (hour >= 8 && hour <= 18) return 'dayTime';
  return hour >= 20 || hour <= 6 ? 'nightTime' : 'otherTime';
}
