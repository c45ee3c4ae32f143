import type { Case, FlinkAnswer, FlinkCase, FlinkOutput, FlinkStep, Given, Rounds, TimersCase, WindowsCase } from './case.ts';
import { numbered } from './numbered.ts';

/*
 * How Flink is asked for what Onceflow does, and how its answer is read. All that makes a difference between the two is here, and
 * docs/conformance.md says why; choices.ts holds a case of each, asked without it.
 */

/**
 * Processing time is given to Flink in quarters of a millisecond. Its harness lets a timer fire at the very time for which it is set, and
 * Flink itself a millisecond later: between two moments of a case there is room for both.
 */
const QUARTERS = 4;

export function asFlink(asked: Case): FlinkCase {
  return asked.kind === 'windows' ? windowsAsFlink(asked) : timersAsFlink(asked);
}

/** The same, with none of this. */
export function plainly(asked: Case): FlinkCase {
  return asked.kind === 'windows' ? windowsPlainly(asked) : timersAsFlink(asked);
}

/** What Flink's answer to `asFlink(asked)` says that Onceflow should give. */
export function fromFlink(asked: Case, answer: FlinkAnswer): Rounds {
  const outputs = byRound(answer, sizesOf(asked));
  if (asked.kind === 'timers') return outputs.map((given) => given.map(timerResult));
  return outputs.map((given) => lastOfEach(given.filter(({ late }) => late === undefined).map((each) => windowResult(asked, each))));
}

/** Numbers of the values that Flink calls late. */
export function lateOf(answer: FlinkAnswer): number[] {
  return answer.flat().flatMap(({ late }) => (late === undefined ? [] : [late]));
}

function windowsAsFlink(asked: WindowsCase): FlinkCase {
  const { shape, time, allowedLatenessMs } = asked;
  const isProcessing = time === 'processing';
  const plain = windowsPlainly({ ...asked, shape: isProcessing ? inQuarters(shape) : shape });
  const steps = plain.steps.map((step): FlinkStep => {
    if ('processingTime' in step) return { processingTime: step.processingTime * QUARTERS };
    // A session is over one millisecond later than Flink's, and so it is late that much later.
    return 'watermark' in step && shape.kind === 'session' ? { watermark: step.watermark - 1 } : step;
  });
  // Sessions that late values let grow have one result a round. Of other windows the last of the round counts.
  const trigger = shape.kind === 'session' && !isProcessing && allowedLatenessMs > 0 ? 'once' : 'default';
  return { operator: { ...plain.operator, trigger }, steps };
}

function windowsPlainly(asked: WindowsCase): FlinkCase {
  const { shape, time, allowedLatenessMs, make } = asked;
  const steps = numbered(asked).flatMap(({ rows, watermarkMs, processingMs }): FlinkStep[] => {
    const values = rows.map((row) => ({ row }));
    if (time === 'processing') return [{ processingTime: processingMs }, ...values];
    return watermarkMs === undefined ? values : [...values, { watermark: watermarkMs }];
  });
  const made = make === 'aggregate without merge' ? 'aggregate' : make;
  return { operator: { kind: 'windows', shape, time, trigger: 'default', allowedLatenessMs, make: made }, steps };
}

function inQuarters(shape: WindowsCase['shape']): WindowsCase['shape'] {
  switch (shape.kind) {
    case 'tumbling':
      return { ...shape, sizeMs: shape.sizeMs * QUARTERS, offsetMs: shape.offsetMs * QUARTERS };
    case 'sliding':
      return { ...shape, sizeMs: shape.sizeMs * QUARTERS, slideMs: shape.slideMs * QUARTERS, offsetMs: shape.offsetMs * QUARTERS };
    case 'session':
      return { ...shape, gapMs: sessionQuarters(shape.gapMs) };
    case 'count':
      return shape;
  }
}

/** A value exactly the gap behind joins, and the session is over behind that. */
function sessionQuarters(gapMs: number): number {
  return gapMs * QUARTERS + 2;
}

function timersAsFlink(asked: TimersCase): FlinkCase {
  const { onRecord, onTimer } = asked;
  const steps = numbered(asked).flatMap(({ rows, watermarkMs, processingMs }): FlinkStep[] => [
    ...rows.map((row) => ({ row })),
    ...(watermarkMs === undefined ? [] : [{ watermark: watermarkMs }]),
    { processingTime: processingMs },
  ]);
  return { operator: { kind: 'timers', onRecord, onTimer }, steps };
}

/** What Flink gave in each round. @param sizes so many steps each has */
export function byRound(answer: FlinkAnswer, sizes: readonly number[]): FlinkOutput[][] {
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return answer.slice(at - size, at).flat();
  });
}

/** So many steps the rounds of a case have. */
export function sizesOf(asked: Case): number[] {
  return asked.rounds.map(({ rows, watermarkMs }) => rows.length + timeSteps(asked, watermarkMs));
}

function timeSteps(asked: Case, watermarkMs: number | undefined): number {
  if (asked.kind === 'windows') return asked.time === 'processing' || watermarkMs !== undefined ? 1 : 0;
  return watermarkMs === undefined ? 1 : 2;
}

function windowResult(asked: WindowsCase, { key = '', timestamp, startMs, endMs, value }: FlinkOutput): Given {
  const { shape, time } = asked;
  // Flink's one window of all time has an end that means nothing.
  if (shape.kind === 'count') return { key, value: inTime(asked, value) };
  if (startMs === undefined || endMs === undefined || timestamp !== endMs - 1)
    throw new Error(`a window of Flink has the timestamp ${timestamp}, and not its last millisecond: [${startMs}, ${endMs})`);
  if (time === 'event') return { key, startMs, endMs, timestamp, value: inTime(asked, value) };
  const beyond = shape.kind === 'session' ? 2 : 0;
  const end = (endMs - beyond) / QUARTERS;
  return { key, startMs: startMs / QUARTERS, endMs: end, timestamp: end - 1, value: inTime(asked, value) };
}

/** `process` is given its values in order of time here, and in that of arrival by Flink. */
function inTime(asked: WindowsCase, value: unknown): unknown {
  if (asked.make !== 'process') return value;
  const times = numbered(asked).flatMap(({ rows, processingMs }) => rows.map(({ t }) => (asked.time === 'processing' ? processingMs : t)));
  return (value as number[]).toSorted((one, other) => (times[one] ?? 0) - (times[other] ?? 0) || one - other);
}

/** Flink gives a window again for each value that comes late; here there is one result a round. Sessions have windows of their own. */
function lastOfEach(given: readonly Given[]): Given[] {
  const last = new Map<string, Given>();
  const more: Given[] = [];
  for (const each of given) {
    if (each.startMs === undefined) more.push(each);
    else last.set(`${each.key} ${each.startMs} ${each.endMs}`, each);
  }
  return [...last.values(), ...more];
}

function timerResult({ key = '', timestamp, ...value }: FlinkOutput): Given {
  // Flink gives no timestamp to what a processing time timer makes.
  const { timeMs } = value as { readonly timeMs: number };
  return { key, timestamp: timestamp ?? timeMs, value };
}
