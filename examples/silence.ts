/** An alert when a sensor that has spoken says nothing for ten seconds of this machine's time, and one when it is back. */
import { defineJob, json, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../lib/api/index.ts';

interface Reading {
  readonly sensor: string;
  readonly celsius: number;
}

const PATIENCE_MS = 10_000;

export default defineJob('silence', (job) => {
  job
    .source('read-readings', kafkaSource({ topic: 'readings', value: json<Reading>() }))
    .keyBy(({ sensor }) => sensor, utf8)
    .process('watch', {
      state: { last: valueState(json<{ readonly celsius: number; readonly dueMs: number; readonly isSilent: boolean }>()) },
      timers: 'processing-time',
      onRecord({ celsius }, { last }, out: Output<string>, { key, timers, processingTimeMs }) {
        const before = last.get();
        if (before?.isSilent === true) out.emit(`${key} is back: ${celsius} °C`);
        if (before !== undefined) timers.deleteProcessingTime(before.dueMs);
        const dueMs = processingTimeMs + PATIENCE_MS;
        timers.setProcessingTime(dueMs);
        last.set({ celsius, dueMs, isSilent: false });
      },
      onTimer(_timer, { last }, out: Output<string>, { key }) {
        const before = last.get();
        if (before === undefined) return;
        out.emit(`${key} is silent, and was ${before.celsius} °C at last`);
        last.set({ ...before, isSilent: true });
      },
    })
    .sink('write-alerts', kafkaSink({ topic: 'sensor-alerts', value: utf8 }));
});
