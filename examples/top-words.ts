/** Every ten seconds the ten most frequent words of the last minute. */
import { defineJob, int64, json, kafkaSink, kafkaSource, slidingWindows, utf8 } from '../lib/api/index.ts';

interface Line {
  readonly text: string;
  readonly at: string;
}
interface Count {
  readonly word: string;
  readonly times: number;
}

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
    .window(slidingWindows({ sizeMs: 60_000, slideMs: 10_000 }))
    .aggregate('count', {
      accumulator: int64,
      initial: 0,
      add: (n) => n + 1,
      merge: (one, other) => one + other,
      result: (times, { key: word }): Count => ({ word, times }),
    })
    // Of words that came as often the alphabet says which is first: as JSON they are in that order.
    .topN('rank', { n: 10, by: ({ times }) => times }, { value: json<Count>() })
    .map(({ endMs, value }) => {
      const ranked = value.map(({ word, times }) => `${word} ${times}`).join(', ');
      return `${new Date(endMs).toISOString().slice(11, 19)}: ${ranked}`;
    })
    .sink('write-top', kafkaSink({ topic: 'top-words', value: utf8 }));
});
