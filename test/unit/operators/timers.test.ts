import { describe, expect, it, test } from 'vitest';
import { defineJob, int64, type KeyedOperator, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import type { StateSpecs } from '../../../lib/api/state.ts';
import { createOperatorRuntime, type OperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import type { StageTime } from '../../../lib/protocol/event-time.ts';
import { TimerError } from '../../../lib/records/errors.ts';
import { failureOf } from '../../../lib/stages/common.ts';
import { compiled, partsTo, recordSet, stageContext, stagedRecords, stagedValues, throughBlob } from './runtimes.ts';

const context = stageContext({ partitions: 1 });

function jobOf<S extends StateSpecs>(operator: Partial<KeyedOperator<string, string, S, string>>, eventTime = true) {
  return defineJob('job', (job) => {
    const timed = eventTime && { eventTime: { maxOutOfOrdernessMs: 0 } };
    job
      .source('src', kafkaSource({ topic: 'in', value: utf8, ...timed }))
      .keyBy((word) => word.slice(0, 1), utf8, { value: utf8 })
      .process('op', { state: {} as S, onRecord: () => {}, ...operator })
      .map((text) => text)
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
  });
}

type Job = ReturnType<typeof jobOf>;

/** An epoch of these words, each of which has its index for a timestamp. */
function run(job: Job, runtime: OperatorRuntime, words: readonly string[], time?: StageTime) {
  runtime.begin(time);
  if (words.length > 0) {
    const source = createSourceRuntime(compiled(job), 'src', context);
    source.begin(undefined, undefined, { processingMs: 1 });
    const records = recordSet(words.map((value, timestamp) => ({ value, timestamp })));
    source.consume('in', 0, records, { from: 0, to: words.length, aborted: [] });
    runtime.consume(throughBlob(partsTo(source.finish(), 'op')[0] ?? []));
  }
  const output = runtime.finish();
  for (const state of runtime.states.values()) state.takeDelta();
  return output;
}

const runtimeOf = (job: Job) => createOperatorRuntime(compiled(job), 'op', context, 0);

describe('timers', () => {
  const job = jobOf({
    onRecord: (word, _, out: Output<string>, { timers }) => {
      out.emit(word);
      timers.setEventTime(10 + Number(word.slice(1)));
    },
    onTimer: ({ domain, timeMs }, _, out, { key, timestamp, watermarkMs, processingTimeMs }) =>
      out.emit(`${key} ${domain} ${timeMs} ${timestamp} ${watermarkMs} ${processingTimeMs}`),
  });

  it('fire behind all rows of the epoch, in order, up to the watermark of its end, and with the time for which they were set', () => {
    const output = run(job, runtimeOf(job), ['a3', 'b1', 'a9'], { beforeMs: 1, afterMs: 13, processingMs: 77 });
    expect(stagedValues(output, 'out')).toEqual(['a3', 'b1', 'a9', 'b event 11 11 13 77', 'a event 13 13 13 77']);
    expect([...stagedRecords(output, 'out').values()].flat().map(({ timestamp }) => Number(timestamp))).toEqual([0, 1, 2, 11, 13]);
  });

  it('fire in an epoch without rows', () => {
    const runtime = runtimeOf(job);
    run(job, runtime, ['a3'], { processingMs: 1 });
    expect(stagedValues(run(job, runtime, [], { afterMs: 12, processingMs: 2 }), 'out')).toEqual([]);
    expect(stagedValues(run(job, runtime, [], { beforeMs: 12, afterMs: 13, processingMs: 3 }), 'out')).toEqual(['a event 13 13 13 3']);
    expect(stagedValues(run(job, runtime, [], { beforeMs: 13, afterMs: 99, processingMs: 4 }), 'out')).toEqual([]);
  });

  it('that are set meanwhile and are due fire in their place, those of the past at once', () => {
    const chained = jobOf({
      onRecord: (_word, _, _out, { timers }) => {
        timers.setEventTime(10);
        timers.setEventTime(30);
        timers.setProcessingTime(5);
      },
      onTimer: ({ domain, timeMs }, _, out, { timers }) => {
        out.emit(`${domain} ${timeMs}`);
        if (domain === 'event' && timeMs === 10) {
          timers.setEventTime(20);
          timers.setEventTime(-3);
          timers.deleteEventTime(30);
          timers.setEventTime(41);
        }
        if (domain === 'processing') timers.setEventTime(1);
      },
    });
    const output = run(chained, runtimeOf(chained), ['a'], { afterMs: 40, processingMs: 5 });
    expect(stagedValues(output, 'out')).toEqual(['event 10', 'event -3', 'event 20', 'processing 5', 'event 1']);
  });

  it('see the watermark of the epoch before while rows are worked on', () => {
    const seeing = jobOf({
      usesTime: true,
      onRecord: (_word, _, out: Output<string>, { watermarkMs, processingTimeMs }) => out.emit(`${watermarkMs} ${processingTimeMs}`),
    });
    const runtime = runtimeOf(seeing);
    expect(stagedValues(run(seeing, runtime, ['a'], { afterMs: 40, processingMs: 5 }), 'out')).toEqual(['-Infinity 5']);
    expect(stagedValues(run(seeing, runtime, ['a'], { beforeMs: 40, afterMs: 60, processingMs: 6 }), 'out')).toEqual(['40 6']);
  });

  it('have the state of their key, and what they change of it is kept', () => {
    const counting = jobOf({
      state: { n: valueState(int64, 0) },
      onRecord: (_word, { n }, _out, { timers }) => {
        n.update((before) => before + 1);
        timers.setEventTime(10);
      },
      onTimer: (_, { n }, out, { key }) => out.emit(`${key} ${n.update((before) => before * 10)}`),
    });
    const runtime = runtimeOf(counting);
    const output = run(counting, runtime, ['a1', 'a2', 'b1'], { afterMs: 10, processingMs: 1 });
    expect(stagedValues(output, 'out').toSorted()).toEqual(['a 20', 'b 10']);
    expect(stagedValues(run(counting, runtime, ['a3'], { beforeMs: 10, afterMs: 11, processingMs: 2 }), 'out')).toEqual(['a 210']);
  });
});

describe('a timer that fails', () => {
  const failing = (onTimer: KeyedOperator<string, string, StateSpecs, string>['onTimer']) =>
    jobOf({ onRecord: (_word, _, _out, { timers }) => timers.setEventTime(10), onTimer });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
      /^op, timer of event time 10 of key a: Error: no/,
    ],
    ['returns a promise', () => Promise.resolve(), /returned a promise/],
    [
      'has something fail behind it',
      (_: unknown, __: unknown, out: Output<string>) => out.emit(undefined as never),
      /op, timer of event time 10 of key a: .*undefined/,
    ],
  ] as const)('because it %s is refused with operator, time and key: no record is left out for it', (_, onTimer, message) => {
    const job = failing(onTimer as never);
    const fail = () => run(job, runtimeOf(job), ['a'], { afterMs: 10, processingMs: 1 });
    expect(fail).toThrow(TimerError);
    expect(fail).toThrow(message);
    try {
      fail();
    } catch (error) {
      expect(failureOf(error)).toMatchObject({ outcome: 'failed', kind: 'refused' });
      expect(failureOf(error).fault).toBeUndefined();
    }
  });

  it('is found when it sets without end one that is not later', () => {
    const job = failing(({ timeMs }, _, _out, { timers }) => timers.setEventTime(timeMs));
    expect(() => run(job, runtimeOf(job), ['a'], { afterMs: 10, processingMs: 1 })).toThrow(/never ends/);
  });

  it('may go on for as long as each is later than the one before', () => {
    let fired = 0;
    const job = failing(({ timeMs }, _, _out, { timers }) => {
      fired++;
      timers.setEventTime(timeMs + 1);
    });
    run(job, runtimeOf(job), ['a'], { afterMs: 30_009, processingMs: 1 });
    expect(fired).toBe(30_000);
  });
});

describe('what cannot work is refused', () => {
  it('event time behind a source without it, when the job is defined, with what mends it', () => {
    expect(() => jobOf({ onTimer: () => {} }, false)).toThrow(
      /op works by event time, and source src before it has none: give it one.*timers: 'processing-time'/,
    );
    expect(() => jobOf({ onTimer: () => {}, timers: 'processing-time' }, false)).not.toThrow();
    expect(() => jobOf({ onTimer: () => {}, timers: 'no-time' as never })).toThrow(/may only be 'processing-time'/);
    expect(() => jobOf({ onTimer: async () => {} })).toThrow(/onTimer is async/);
  });

  const setting = (operator: Parameters<typeof jobOf>[0], time: StageTime | undefined, eventTime = true) => {
    const job = jobOf(operator, eventTime);
    return () => run(job, runtimeOf(job), ['a'], time);
  };
  const now = { processingMs: 1 };

  it('a timer of event time where all are of processing time, one without onTimer, and one for no time', () => {
    const event: Parameters<typeof jobOf>[0] = { onRecord: (_word, _, _out, { timers }) => timers.setEventTime(1) };
    expect(setting({ ...event, onTimer: () => {}, timers: 'processing-time' }, now)).toThrow(/has timers: 'processing-time'/);
    expect(setting(event, now)).toThrow(/has no onTimer/);
    for (const time of [Number.NaN, 0.5, Number.POSITIVE_INFINITY, '5' as unknown as number])
      expect(setting({ onRecord: (_word, _, _out, { timers }) => timers.setEventTime(time), onTimer: () => {} }, now)).toThrow(
        /whole milliseconds/,
      );
  });

  it('reading the time in a job that does not use it', () => {
    const reading: Parameters<typeof jobOf>[0] = { onRecord: (_word, _, _out, { processingTimeMs }) => void processingTimeMs };
    expect(setting(reading, undefined, false)).toThrow(/usesTime: true/);
    expect(setting({ ...reading, usesTime: true }, now, false)).not.toThrow();
  });
});

test('an operator with timers has a state for them, which the fingerprint knows and its functions are not given', () => {
  let given: unknown;
  const job = jobOf({
    onTimer: () => {},
    onRecord(_word, state) {
      given = state;
    },
  });
  const node = job.nodes.find((each) => each.kind === 'process');
  expect(node?.kind === 'process' ? node.states.map(({ name, kind }) => [name, kind]) : []).toEqual([['@timers', 'timers']]);
  run(job, runtimeOf(job), ['a'], { processingMs: 1 });
  expect(Object.keys(given as object)).toEqual([]);
});
