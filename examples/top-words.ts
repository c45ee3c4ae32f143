/** Every ten seconds the ten most frequent words of the last minute. */
import { defineJob, int64, json, kafkaSink, kafkaSource, type Output, slidingWindows, tumblingWindows, utf8 } from '../lib/api/index.ts';

interface Line {
  readonly text: string;
  readonly at: string;
}
interface Count {
  readonly word: string;
  readonly times: number;
}

const SLIDE_MS = 10_000;

const lines = kafkaSource({
  topic: 'chat-lines',
  value: json<Line>(),
  eventTime: { timestamp: ({ at }) => Date.parse(at), maxOutOfOrdernessMs: 1_000 },
});

export default defineJob('top-words', (job) => {
  job
    .source('read-lines', lines)
    .flatMap(({ text }) => text.split(' '))
    .keyBy((word) => word, utf8)
    .window(slidingWindows({ sizeMs: 60_000, slideMs: SLIDE_MS }))
    .aggregate('count', {
      accumulator: int64,
      initial: 0,
      add: (n) => n + 1,
      merge: (one, other) => one + other,
      result: (times, { key: word }): Count => ({ word, times }),
    })
    // The counts of one minute have one timestamp, the last millisecond of it: so they are in one window.
    .keyBy(() => 'all', utf8)
    .window(tumblingWindows({ sizeMs: SLIDE_MS }))
    .process(
      'rank',
      (counts, { endMs }, out: Output<string>) => {
        const ranked = counts.toSorted((one, other) => other.times - one.times || (one.word < other.word ? -1 : 1)).slice(0, 10);
        out.emit(`${new Date(endMs).toISOString().slice(11, 19)}: ${ranked.map(({ word, times }) => `${word} ${times}`).join(', ')}`);
      },
      json<Count>(),
    )
    .sink('write-top', kafkaSink({ topic: 'top-words', value: utf8 }));
});
