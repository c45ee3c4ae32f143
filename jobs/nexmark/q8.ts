import { defineJob, int64, json, kafkaSink, type Output, tumblingWindows } from '../../lib/api/index.ts';
import { isAuction, isPerson, timedEvents } from './events.ts';

interface Result {
  readonly id: number;
  readonly name: string;
  readonly starttime: number;
}

/** Who registered and opened an auction within the same ten seconds. */
export default defineJob('nexmark-q8', (job) => {
  const events = job.source('read-events', timedEvents);
  const persons = events.filter(isPerson).map(({ id, name }) => ({ id, name }));
  const sellers = events.filter(isAuction).map(({ seller }) => seller);
  persons
    .keyBy(({ id }) => id, int64)
    .window(tumblingWindows({ sizeMs: 10_000 }))
    .coGroup(
      'join-sellers',
      sellers.keyBy((seller) => seller, int64),
      (registered, opened, { startMs: starttime }, out: Output<Result>) => {
        if (opened.length > 0) for (const { id, name } of registered) out.emit({ id, name, starttime });
      },
    )
    .sink('write-results', kafkaSink({ topic: 'nexmark-q8', value: json() }));
});
