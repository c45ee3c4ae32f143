import { describe, expect, it } from 'vitest';
import { defineJob, type EventTime, json, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { SourceTimeAsk } from '../../../lib/protocol/event-time.ts';
import { compiled, recordSet, recordsTo, stageContext, stagedRecords } from './runtimes.ts';

interface Reading {
  readonly at: number;
  readonly mark?: number;
}

const noon = 1_000_000;

function runtimeWith(eventTime: EventTime<Reading>, deadLetters = false, time: SourceTimeAsk = { processingMs: noon }) {
  const job = defineJob('job', (builder) => {
    builder
      .source('read', kafkaSource({ topic: 'in', value: json<Reading>(), eventTime }))
      .map(({ at }) => String(at))
      .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  });
  const runtime = createSourceRuntime(compiled(job, deadLetters ? 'dead' : undefined), 'read', stageContext());
  runtime.begin(deadLetters ? { job: 'job', epoch: 1, nowMs: noon } : undefined, undefined, time);
  const give = (partition: number, readings: readonly Reading[], timestamp?: number) => {
    const records = recordSet(
      readings.map((reading) => ({ value: JSON.stringify(reading), ...(timestamp !== undefined && { timestamp }) })),
    );
    return runtime.consume('in', partition, records, { from: 0, to: readings.length, aborted: [] });
  };
  return { runtime, give };
}

const at = (reading: Reading) => reading.at;

describe('a source with event time', () => {
  it('gives its records the time of their values, and says of each partition how far it has come', () => {
    const { runtime, give } = runtimeWith({ timestamp: at, maxOutOfOrdernessMs: 100 });
    give(0, [{ at: 500 }, { at: 900 }, { at: 850 }]);
    give(3, [{ at: 40 }]);
    give(0, [{ at: 600 }]);
    const output = runtime.finish();
    expect(output.seen).toEqual([
      { topic: 'in', partition: 0, watermarkMs: 799 },
      { topic: 'in', partition: 3, watermarkMs: -61 },
    ]);
    const times = [...stagedRecords(output, 'write').values()].flat().map(({ value, timestamp }) => [value, Number(timestamp)]);
    expect(times).toContainEqual(['850', 850]);
  });

  it("takes the record's own timestamp where no function gives one", () => {
    const { runtime, give } = runtimeWith({ maxOutOfOrdernessMs: 0 });
    give(0, [{ at: 1 }], 777);
    expect(runtime.finish().seen).toEqual([{ topic: 'in', partition: 0, watermarkMs: 776 }]);
  });

  it('takes watermarks from what says so, and knows a partition that has brought records and none', () => {
    const { runtime, give } = runtimeWith({ timestamp: at, watermark: ({ mark }) => mark });
    give(0, [{ at: 5 }, { at: 6, mark: 4 }, { at: 7, mark: 2 }]);
    give(1, [{ at: 5 }]);
    expect(runtime.finish().seen).toEqual([
      { topic: 'in', partition: 0, watermarkMs: 4 },
      { topic: 'in', partition: 1 },
    ]);
  });

  it('stops a partition behind the record with which it is too far ahead of the others', () => {
    const { runtime, give } = runtimeWith({ timestamp: at, maxOutOfOrdernessMs: 0 }, false, { processingMs: noon, upToMs: 99 });
    expect(give(0, [{ at: 50 }, { at: 100 }, { at: 101 }, { at: 102 }])).toEqual({ next: 3, records: 3, isHeld: true });
    expect(give(1, [{ at: 100 }])).toEqual({ next: 1, records: 1, isHeld: false });
    expect(recordsTo(runtime.finish(), 'write')).toBe(4);
  });
});

describe('a record whose time is none', () => {
  const wrong: readonly (readonly [string, EventTime<Reading>, Reading, number, RegExp])[] = [
    [
      'is too far ahead',
      { timestamp: at, maxOutOfOrdernessMs: 0, maxAheadMs: 10 },
      { at: noon + 11 },
      5,
      /11 ms ahead of the epoch's processing time/,
    ],
    ['has none of its own', { maxOutOfOrdernessMs: 0 }, { at: 1 }, -1, /has no timestamp/],
    [
      'brings a watermark that is too far ahead',
      { timestamp: at, watermark: ({ mark }) => mark, maxAheadMs: 10 },
      { at: noon, mark: noon + 11 },
      5,
      /the watermark that comes with it, 1000011, is 11 ms ahead of the epoch's processing time .* Raise maxAheadMs/,
    ],
  ];

  it.each(wrong)('because it %s stops the job, or is left out', (_, eventTime, reading, timestamp, message) => {
    expect(() => runtimeWith(eventTime).give(0, [reading], timestamp)).toThrow(message);
    const { runtime, give } = runtimeWith(eventTime, true);
    give(0, [reading], timestamp);
    const output = runtime.finish();
    expect([recordsTo(output, 'write'), recordsTo(output, 'dead-letters')]).toEqual([0, 1]);
    expect(output.seen).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no time');
      },
      'Error: no time',
    ],
    ['gives NaN', () => Number.NaN, 'it gave NaN'],
    ['gives half a millisecond', () => 0.5, 'it gave 0.5'],
    ['gives nothing', () => undefined, 'it gave undefined'],
    ['gives a text', () => '5', 'it gave string 5'],
    ['gives a bigint', () => 5n, 'it gave bigint 5'],
  ])('because the function %s is one that user code fails at, and is named', (_, timestamp, what) => {
    const { give } = runtimeWith({ timestamp: timestamp as () => number, maxOutOfOrdernessMs: 0 });
    const told = what.startsWith('it gave') ? `TypeError: ${what}, and must give whole milliseconds since 1970, as a number` : what;
    expect(() => give(0, [{ at: 1 }])).toThrow(`timestamp of read at topic in, partition 0, offset 0: ${told}`);
  });

  it('may be as far ahead as the job says, and by default a day', () => {
    const day = 86_400_000;
    expect(() => runtimeWith({ timestamp: at, maxOutOfOrdernessMs: 0 }).give(0, [{ at: noon + day }])).not.toThrow();
    expect(() => runtimeWith({ timestamp: at, maxOutOfOrdernessMs: 0 }).give(0, [{ at: noon + day + 1 }])).toThrow(/ahead/);
    const unbounded: EventTime<Reading> = { timestamp: at, maxOutOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY };
    expect(() => runtimeWith(unbounded).give(0, [{ at: noon * day }])).not.toThrow();
  });
});

describe('event time that is not well-formed', () => {
  it.each([
    [{}, /maxOutOfOrdernessMs/],
    [{ maxOutOfOrdernessMs: 1, watermark: () => 1 }, /one of both/],
    [{ maxOutOfOrdernessMs: -1 }, /maxOutOfOrdernessMs is -1, and must be whole milliseconds, 0 or more/],
    [{ maxOutOfOrdernessMs: '5' }, /maxOutOfOrdernessMs is "5", and must be whole milliseconds/],
    [{ maxOutOfOrdernessMs: 0, idleAfterMs: 0 }, /idleAfterMs is 0/],
    [{ maxOutOfOrdernessMs: 0, maxAheadMs: Number.NaN }, /maxAheadMs is NaN/],
    [{ maxOutOfOrdernessMs: 0, timestamp: async () => 1 }, /timestamp is async/],
  ])('is refused when the job is defined: %o', (eventTime, message) => {
    expect(() => kafkaSource({ topic: 'in', value: utf8, eventTime: eventTime as unknown as EventTime<string> })).toThrow(message);
  });
});
