import { defineJob, int64, json, kafkaSink, type Output, tumblingWindows } from '../../lib/api/index.ts';
import { isAuction, isPerson, timedEvents } from './events.ts';

/** A person registers, or opens an auction. */
interface Seen {
  readonly id: number;
  /** Of one who registers. */
  readonly name?: string;
}

interface Result {
  readonly id: number;
  readonly name: string;
  readonly starttime: number;
}

/** Who registered and opened an auction within the same ten seconds. */
export default defineJob('nexmark-q8', (job) => {
  job
    .source('read-events', timedEvents)
    .flatMap((event): Seen[] => {
      if (isPerson(event)) return [{ id: event.id, name: event.name }];
      return isAuction(event) ? [{ id: event.seller }] : [];
    })
    .keyBy(({ id }) => id, int64)
    .window(tumblingWindows({ sizeMs: 10_000 }))
    .process(
      'join-sellers',
      (seen, { key: id, startMs: starttime }, out: Output<Result>) => {
        const name = seen.find((one) => one.name !== undefined)?.name;
        const opened = seen.some((one) => one.name === undefined);
        if (name !== undefined && opened) out.emit({ id, name, starttime });
      },
      json<Seen>(),
    )
    .sink('write-results', kafkaSink({ topic: 'nexmark-q8', value: json() }));
});
