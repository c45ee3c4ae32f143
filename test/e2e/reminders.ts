import { defineJob, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';

/** Lines are `name ms`: of each name is said so much processing time later that it was to be reminded of. */
export default defineJob('reminders', (job) => {
  job
    .source('read-requests', kafkaSource({ topic: 'requests', value: utf8 }))
    .keyBy((line) => line.split(' ')[0] ?? '', utf8)
    .process('remind', {
      timers: 'processing-time',
      state: { dueMs: valueState(utf8) },
      onRecord(line, { dueMs }, _out, { timers, processingTimeMs }) {
        const due = processingTimeMs + Number(line.split(' ')[1]);
        dueMs.set(`${due}`);
        timers.setProcessingTime(due);
      },
      onTimer({ timeMs }, { dueMs }, out: Output<string>, { key }) {
        out.emit(`${key} due ${dueMs.get()} at ${timeMs}`);
        dueMs.clear();
      },
    })
    .sink('write-reminders', kafkaSink({ topic: 'reminders', value: utf8 }));
});
