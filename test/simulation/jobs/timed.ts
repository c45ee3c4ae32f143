import {
  connect,
  type DataStream,
  defineJob,
  type EventTime,
  int64,
  type KeyedContext,
  kafkaSink,
  kafkaSource,
  listState,
  type Output,
  type Timer,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { type Build, INPUT, JOB, LATER_INPUT, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { type Sighting, sightingsBy, timesOf } from './lines.ts';

/** The time of a line: lines come a tenth of a second after each other, and up to three tenths out of order. */
function timeIn(line: string): number {
  const n = Number(line.slice(line.indexOf('#')).replace(/\D/g, '')) || 0;
  return n * 100 + (((n * 7919) % 13) - 6) * 50;
}

export const outOfOrder: EventTime<string> = { timestamp: timeIn, maxOutOfOrdernessMs: 300, idleAfterMs: 1_500 };
/** Lines that speak of a bee say how far time has come. */
export const bees: EventTime<string> = {
  timestamp: timeIn,
  watermark: (line, timestamp) => (line.includes('bee') ? timestamp - 200 : undefined),
  idleAfterMs: 900,
  alignWithinMs: 400,
};

/**
 * Reminds of each word a while after it was seen: by event time and by processing time. Timers are set twice, deleted, set by others, and
 * set for times that have passed. What is written shows in which order all came.
 */
function reminding(build: Build, code: UserCode) {
  return {
    state: { open: listState(utf8), n: valueState(int64, 0) },
    onRecord(
      { word, place, weight }: Sighting,
      { open, n }: { open: { add(place: string): void }; n: { update(fn: (n: number) => number): number } },
      out: Output<string>,
      { key, timestamp, watermarkMs, processingTimeMs, timers }: KeyedContext<string>,
    ) {
      for (let left = timesOf(build, weight); left > 0; left--) {
        const m = n.update((before) => before + 1);
        out.emit(`${key} ${place} is ${m}, ${timestamp <= watermarkMs ? 'late' : 'in time'}`);
        open.add(place);
        timers.setEventTime(timestamp + 150 + 50 * (m % 5));
        timers.setEventTime(timestamp + 150 + 50 * (m % 5));
        if (m % 4 === 0) timers.deleteEventTime(timestamp + 200);
        if (m % 3 === 0) timers.setProcessingTime(processingTimeMs + 700);
        if (m % 7 === 0) timers.deleteProcessingTime(processingTimeMs + 700);
      }
      code.check('operator', word);
    },
    onTimer(
      { domain, timeMs }: Timer,
      { open, n }: { open: Iterable<string> & { clear(): void }; n: { update(fn: (n: number) => number): number } },
      out: Output<string>,
      { key, watermarkMs, processingTimeMs, timers }: KeyedContext<string>,
    ) {
      const m = n.update((before) => before + 1);
      out.emit(`${key} ${domain} ${timeMs} is ${m}, at ${watermarkMs} and ${processingTimeMs}: ${[...open].join(' ')}`);
      if (m % 6 === 0) open.clear();
      if (domain === 'event' && m % 5 === 0) timers.setEventTime(timeMs + 40);
      if (domain === 'processing' && m % 2 === 0) timers.setEventTime(-timeMs);
    },
  };
}

const words = (lines: DataStream<string>, build: Build, code: UserCode) =>
  lines.flatMap(sightingsBy(build, code)).keyBy(({ word }) => word, utf8);

const reminders: SimJob = {
  name: 'reminders',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }));
      words(lines, build, code)
        .process('remind', reminding(build, code))
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** A watermark that two sources with clocks of their own come to together. */
const twoClocks: SimJob = {
  name: 'two-clocks',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }));
      const later = job.source('read-later', kafkaSource({ topic: LATER_INPUT, value: code.lines, startingOffsets, eventTime: bees }));
      const { state, onRecord, onTimer } = reminding(build, code);
      connect({ lines: words(lines, build, code), later: words(later, build, code) })
        .process('remind', { state, on: { lines: onRecord, later: onRecord }, onTimer })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/**
 * In order of time, twice: behind the source, with timers between the rows, and behind that. What is written shows which came before which,
 * and nothing of where epochs ended.
 */
function inOrder() {
  return {
    inTimeOrder: true as const,
    state: { n: valueState(int64, 0), last: valueState(utf8, 'nothing') },
    onRecord(
      { word, place }: Sighting,
      { n, last }: { n: { update(fn: (n: number) => number): number }; last: { get(): string; set(place: string): void } },
      out: Output<Sighting>,
      { timestamp, watermarkMs, timers }: KeyedContext<string>,
    ) {
      const m = n.update((before) => before + 1);
      out.emit({ word, weight: 0, place: `${place} at ${timestamp} is ${m}, behind ${last.get()}, ${timestamp - watermarkMs}` });
      last.set(place);
      timers.setEventTime(timestamp + 50 * (m % 4));
      if (m % 5 === 0) timers.deleteEventTime(timestamp + 50);
    },
    onTimer(
      { timeMs }: Timer,
      { n, last }: { n: { update(fn: (n: number) => number): number }; last: { get(): string; set(place: string): void } },
      out: Output<Sighting>,
      { key, watermarkMs, timers }: KeyedContext<string>,
    ) {
      const m = n.update((before) => before + 1);
      out.emit({ word: key, weight: 0, place: `timer ${timeMs} is ${m}, behind ${last.get()}, ${timeMs - watermarkMs}` });
      last.set(`${timeMs}`);
      if (m % 7 === 0) timers.setEventTime(timeMs + 30);
    },
  };
}

const ordered: SimJob = {
  name: 'ordered',
  define: (_build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }));
      // Rows that wait are state: both builds have them in one form.
      const first = words(lines, 'a', code).process('order', inOrder());
      first.late.map(({ word, place }) => `late ${word} ${place}`).sink('write-late', kafkaSink({ topic: 'late', value: utf8 }));
      first
        .keyBy(({ word }) => word.slice(0, 1), utf8)
        .process('order-again', {
          inTimeOrder: true,
          state: { last: valueState(utf8, 'nothing') },
          onRecord({ word, place }, { last }, out: Output<string>, { key, timestamp }) {
            out.emit(`${key} ${word} ${place} at ${timestamp}, behind ${last.get()}`);
            last.set(`${word} ${place.slice(0, 12)}`);
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** Partitions wait for each other, and nothing else waits: no timer, and no row. */
const aligned: SimJob = {
  name: 'aligned',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: bees }));
      words(lines, build, code)
        .process('count', {
          usesTime: true,
          state: { n: valueState(int64, 0) },
          onRecord({ place, weight }, { n }, out: Output<string>, { key, timestamp, watermarkMs }) {
            for (let left = timesOf(build, weight); left > 0; left--)
              out.emit(`${key} ${place} is ${n.update((m) => m + 1)}, ${timestamp <= watermarkMs ? 'late' : 'in time'}`);
            code.check('operator', key);
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** An update puts another operator, which keeps nothing and gives nothing, before the first of a stage: that is called by its uid from then on. */
export const preceded: SimJob = {
  name: 'preceded',
  grows: true,
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const lines = job.source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets, eventTime: outOfOrder }));
      const keyed = words(lines, build, code);
      if (build === 'b') keyed.process('look', { state: {}, onRecord() {} });
      keyed.process('remind', reminding(build, code)).sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** What a mutant needs that no other job shows: partitions that are held, and nothing else to wait for. */
export const alignedJobs: readonly SimJob[] = [aligned];

/** Jobs that work by event time and processing time. */
export const timedJobs: readonly SimJob[] = [reminders, twoClocks, ordered];
