import type { Case, FlinkAnswer, FlinkCase, FlinkOutput, FlinkStep, Given, KeyedRow, Rounds, TimersCase, WindowsCase } from './case.ts';
import { numbered } from './numbered.ts';

/*
 * How Flink is asked for what Onceflow does, and how its answer is read. All that makes a difference between the two is here;
 * choices.ts has a case of each, asked without it, and docs/conformance.md says why.
 */

/**
 * Processing time is given to Flink in quarters of a millisecond. Its harness lets a timer fire at the very time for which it is set, and
 * Flink itself a millisecond later: between two moments of a case there is room for both.
 */
const QUARTERS = 4;

type NumberedRow = KeyedRow & { readonly v: number };

/** What Flink is asked, and by round how. */
export interface Question {
  readonly operator: object;
  readonly rounds: readonly (readonly FlinkStep[])[];
}

export function asFlink(asked: Case): Question {
  return asked.kind === 'windows' ? windowsAsFlink(asked) : timersAsFlink(asked);
}

/** The same, with none of this. */
export function plainly(asked: Case): Question {
  return asked.kind === 'windows' ? windowsPlainly(asked) : timersPlainly(asked);
}

export function flinkCase({ operator, rounds }: Question): FlinkCase {
  return { operator, steps: rounds.flat() };
}

/** What Flink gave in each round. */
export function byRound({ rounds }: Question, answer: FlinkAnswer): FlinkOutput[][] {
  let at = 0;
  return rounds.map(({ length }) => {
    at += length;
    return answer.slice(at - length, at).flat();
  });
}

/** What Flink's answer says that Onceflow should give. */
export function fromFlink(asked: Case, answer: FlinkAnswer): Rounds {
  const outputs = byRound(asFlink(asked), answer);
  if (asked.kind === 'windows') return outputs.map((given) => lastOfEach(given.map((each) => windowResult(asked, each))));
  const late = asked.inTimeOrder ? waitOf(asked).map((round) => round.late) : [];
  return outputs.map((given, round) => [...given.map((each) => timerResult(asked, each)), ...(late[round] ?? []).map(lateResult)]);
}

function windowsAsFlink(asked: WindowsCase): Question {
  const { shape, time, allowedLatenessMs } = asked;
  const isProcessing = time === 'processing';
  const plain = windowsPlainly({ ...asked, shape: isProcessing ? inQuarters(shape) : shape });
  const step = (given: FlinkStep): FlinkStep => {
    if ('processingTime' in given) return { processingTime: given.processingTime * QUARTERS };
    // A session is over one millisecond later than Flink's, and so it is late that much later.
    return 'watermark' in given && shape.kind === 'session' ? { watermark: given.watermark - 1 } : given;
  };
  // Sessions that late values let grow have one result a round. Of other windows the last of the round counts.
  const trigger = shape.kind === 'session' && !isProcessing && allowedLatenessMs > 0 ? 'once' : 'default';
  return { operator: { ...plain.operator, trigger }, rounds: plain.rounds.map((steps) => steps.map(step)) };
}

function windowsPlainly(asked: WindowsCase): Question {
  const { shape, time, allowedLatenessMs, make } = asked;
  const rounds = numbered(asked).map(({ rows, watermarkMs, processingMs }): FlinkStep[] => {
    const values = rows.map((row) => ({ row }));
    return time === 'processing' ? [{ processingTime: processingMs }, ...values] : [...values, ...watermark(watermarkMs)];
  });
  const made = make === 'aggregate without merge' ? 'aggregate' : make;
  return { operator: { kind: 'windows', shape, time, trigger: 'default', allowedLatenessMs, make: made }, rounds };
}

function watermark(watermarkMs: number | undefined): FlinkStep[] {
  return watermarkMs === undefined ? [] : [{ watermark: watermarkMs }];
}

function inQuarters(shape: WindowsCase['shape']): WindowsCase['shape'] {
  switch (shape.kind) {
    case 'tumbling':
      return { ...shape, sizeMs: shape.sizeMs * QUARTERS, offsetMs: shape.offsetMs * QUARTERS };
    case 'sliding':
      return { ...shape, sizeMs: shape.sizeMs * QUARTERS, slideMs: shape.slideMs * QUARTERS, offsetMs: shape.offsetMs * QUARTERS };
    case 'session':
      return { ...shape, gapMs: shape.gapMs * QUARTERS + BEYOND };
    case 'count':
      return shape;
  }
}

/** A value exactly the gap behind joins a session, and it is over behind that. */
const BEYOND = 2;

function timersAsFlink(asked: TimersCase): Question {
  const plain = timersPlainly(asked);
  if (!asked.inTimeOrder) return plain;
  // Rows come in order of time, each with a watermark of its own before it.
  const given = waitOf(asked).map((round) => round.given);
  const rounds = asked.rounds.map(({ watermarkMs, processingMs }, round): FlinkStep[] => [
    ...(given[round] ?? []).flatMap((row) => [{ watermark: row.t - 1 }, { row }]),
    ...watermark(watermarkMs),
    { processingTime: processingMs },
  ]);
  return { ...plain, rounds };
}

function timersPlainly(asked: TimersCase): Question {
  const { onRecord, onTimer } = asked;
  const rounds = numbered(asked).map(({ rows, watermarkMs, processingMs }): FlinkStep[] => [
    ...rows.map((row) => ({ row })),
    ...watermark(watermarkMs),
    { processingTime: processingMs },
  ]);
  return { operator: { kind: 'timers', onRecord, onTimer }, rounds };
}

/** Which rows each round gives that wait for the watermark, and which are late. */
function waitOf(asked: TimersCase): { readonly given: readonly NumberedRow[]; readonly late: readonly NumberedRow[] }[] {
  let waiting: NumberedRow[] = [];
  let beforeMs = Number.NEGATIVE_INFINITY;
  return asked.rounds.map(({ rows, watermarkMs = Number.NEGATIVE_INFINITY }) => {
    const late = rows.filter(({ t }) => t <= beforeMs);
    waiting = [...waiting, ...rows.filter(({ t }) => t > beforeMs)].toSorted((one, other) => one.t - other.t);
    const given = waiting.filter(({ t }) => t <= watermarkMs);
    waiting = waiting.filter(({ t }) => t > watermarkMs);
    beforeMs = watermarkMs;
    return { given, late };
  });
}

function lateResult({ k, t, v }: NumberedRow): Given {
  return { key: k, timestamp: t, late: v };
}

function windowResult(asked: WindowsCase, { key, late, timestamp, startMs, endMs, value }: FlinkOutput): Given {
  const { shape, time } = asked;
  if (late !== undefined) return { key, timestamp, late };
  // Flink's one window of all time has an end that means nothing.
  if (shape.kind === 'count') return { key, value: inTime(asked, value) };
  if (startMs === undefined || endMs === undefined || timestamp !== endMs - 1)
    throw new Error(`a window of Flink has the timestamp ${timestamp}, and not its last millisecond: [${startMs}, ${endMs})`);
  const isSession = shape.kind === 'session';
  const unit = time === 'processing' ? QUARTERS : 1;
  const end = (endMs - (isSession && time === 'processing' ? BEYOND : 0)) / unit;
  return { key, startMs: startMs / unit, endMs: end, timestamp: isSession ? end : end - 1, value: inTime(asked, value) };
}

/** `process` is given its values in order of time here, and in that of arrival by Flink. */
function inTime(asked: WindowsCase, value: unknown): unknown {
  if (asked.make !== 'process') return value;
  const times = numbered(asked).flatMap(({ rows, processingMs }) => rows.map(({ t }) => (asked.time === 'processing' ? processingMs : t)));
  return (value as number[]).toSorted((one, other) => (times[one] ?? 0) - (times[other] ?? 0) || one - other);
}

/** Flink gives a window again for each value that comes late; here there is one result a round. */
function lastOfEach(given: readonly Given[]): Given[] {
  const isWindow = ({ startMs }: Given) => startMs !== undefined;
  const last = new Map(given.filter(isWindow).map((each) => [`${each.key} ${each.startMs} ${each.endMs}`, each]));
  return [...last.values(), ...given.filter((each) => !isWindow(each))];
}

function timerResult({ inTimeOrder }: TimersCase, { key, timestamp, ...value }: FlinkOutput): Given {
  const { domain, timeMs } = value as unknown as { readonly domain: string; readonly timeMs: number };
  // Flink gives no timestamp to what a timer of processing time makes. In order of time the watermark of a timer is its own time.
  const own = inTimeOrder && domain === 'event' ? { watermarkMs: timeMs } : {};
  return { key, timestamp: timestamp ?? timeMs, value: { ...value, ...own } };
}
