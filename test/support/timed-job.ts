import { defineJob, int64, kafkaSink, kafkaSource, type Output, tumblingWindows, utf8, valueState, withTtl } from '../../lib/api/index.ts';

/** Lines are a word and its time. Counts words in windows of a second, and says of each word, a second after it came, how often it had come by then. */
export default defineJob('timed', (job) => {
  const words = job
    .source(
      'read-lines',
      kafkaSource({
        topic: 'lines',
        value: utf8,
        startingOffsets: 'latest',
        eventTime: { timestamp: (line) => Number(line.split(' ')[1]), maxOutOfOrdernessMs: 100, idleAfterMs: 300 },
      }),
    )
    .keyBy((line) => line.split(' ')[0] ?? '', utf8);
  words
    .window(tumblingWindows({ sizeMs: 1_000 }))
    .aggregate('count-in-windows', {
      accumulator: int64,
      initial: 0,
      add: (n) => n + 1,
      result: (n, { key, endMs }) => `${key} until ${endMs}: ${n}`,
    })
    .sink('write-windows', kafkaSink({ topic: 'windows', value: utf8 }));
  words
    .process('remind', {
      state: { seen: withTtl(valueState(int64, 0), { ttlMs: 60_000 }) },
      onRecord(_line, { seen }, _out: Output<string>, { timestamp, timers }) {
        seen.update((n) => n + 1);
        timers.setEventTime(timestamp + 1_000);
      },
      onTimer({ timeMs }, { seen }, out, { key, processingTimeMs }) {
        out.emit(`${key} at ${timeMs}: ${seen.get()}, worked on ${processingTimeMs > 0}`);
      },
    })
    .sink('write-reminders', kafkaSink({ topic: 'reminders', value: utf8 }));
});
