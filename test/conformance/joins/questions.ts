import type { Answer, AsOfCase, Case, IntervalCase, Output, Peer, Question, Round, Rounds, Row, Step, WindowCase } from './case.ts';

/*
 * How Flink and Kafka Streams are asked for what Onceflow does, and how their answers are read. All that makes a difference is here;
 * choices.ts has a case of each, asked without it, and docs/conformance.md says why.
 */

/** What is asked of a peer. The rounds are those of the case, and of Kafka Streams one more, which ends what waits. */
export function questionOf(asked: Case, peer: Peer): Question {
  return peer === 'Flink' ? askedOfFlink(asked) : askedOfStreams(asked);
}

/** The same, with none of this. */
export function plainly(asked: Case): Question {
  return {
    operator: operatorOf(asked),
    rounds: asked.rounds.map(({ left, right, watermarkMs, processingMs }) => [
      { processingTime: processingMs },
      ...lefts(left),
      ...rights(right),
      ...watermark(watermarkMs),
    ]),
  };
}

/** What Onceflow should give, by what the peer gave. */
export function expectedOf(asked: Case, peer: Peer, answer: Answer): Rounds {
  const question = questionOf(asked, peer);
  const all = byRound(question, answer);
  const steps = all.slice(0, asked.rounds.length);
  switch (asked.kind) {
    case 'interval':
      return inTime(asked, all.flat(2));
    case 'asOf':
      return asOf(asked, all, peer);
    case 'window':
      return windowsOnce(asked, steps);
    case 'table':
    case 'tables':
    case 'deduplicate':
    case 'top':
    case 'broadcast':
      return atRowOf(question, steps);
  }
}

/** For each round and step what was given. */
export function byRound({ rounds }: Question, answer: Answer): Answer[] {
  let at = 0;
  return rounds.map(({ length }) => {
    at += length;
    return answer.slice(at - length, at);
  });
}

function askedOfFlink(asked: Case): Question {
  const operator = operatorOf(asked);
  const of = (steps: (round: Round, index: number) => readonly Step[]): Question => ({ operator, rounds: asked.rounds.map(steps) });
  switch (asked.kind) {
    case 'interval':
    case 'asOf': {
      const inTime = timely(asked.rounds);
      return of(({ watermarkMs }, index) => [...(inTime[index] ?? []), ...watermark(watermarkMs)]);
    }
    case 'window':
      // A session is over one millisecond later than Flink's.
      return of(({ left, right, watermarkMs }) => [
        ...lefts(left),
        ...rights(right),
        ...watermark(asked.shape.kind === 'session' && watermarkMs !== undefined ? watermarkMs - 1 : watermarkMs),
      ]);
    case 'table':
    case 'broadcast':
      // What a table has, or what is broadcast, comes first in an epoch.
      return of(({ left, right }) => [...rights(right), ...lefts(left)]);
    case 'tables':
    case 'deduplicate':
    case 'top':
      return of(({ left, right, processingMs }) => [{ processingTime: processingMs }, ...lefts(left), ...rights(right)]);
  }
}

/** It has no watermarks: what waits for stream time does so until the end. */
function askedOfStreams(asked: Case): Question {
  const { operator, rounds } = askedOfFlink(asked);
  const rows = rounds.map((steps) => steps.filter((step) => 'left' in step || 'right' in step));
  const given = asked.kind === 'interval' && asked.type === 'left' ? inOrderOfTime(rows) : asked.kind === 'asOf' ? lastOfTime(rows) : rows;
  return { operator, rounds: [...given, [{ close: true }]] };
}

/** What is behind stream time is given alone at once, whatever may come. */
function inOrderOfTime(rounds: readonly (readonly Step[])[]): readonly (readonly Step[])[] {
  return [rounds.flat().toSorted((one, other) => rowOf(one).t - rowOf(other).t)];
}

/** A deletion of the time of a version is forgotten when an older version comes: of each time the last version alone. */
function lastOfTime(rounds: readonly (readonly Step[])[]): readonly (readonly Step[])[] {
  const placeOf = ({ k, t }: Row) => `${k} ${t}`;
  const last = new Map(rounds.flat().flatMap((step) => ('right' in step ? [[placeOf(step.right), step.right] as const] : [])));
  return rounds.map((steps) => steps.filter((step) => !('right' in step) || last.get(placeOf(step.right)) === step.right));
}

function operatorOf(asked: Case): object {
  const { rounds: _, ...operator } = asked;
  return asked.kind === 'window' ? { ...operator, trigger: triggerOf(asked) } : operator;
}

/** Sessions that late values let grow have one result a round. Of other windows the last of the round counts. */
function triggerOf({ shape, allowedLatenessMs }: WindowCase): 'once' | 'default' {
  return shape.kind === 'session' && allowedLatenessMs > 0 ? 'once' : 'default';
}

function lefts(rows: readonly Row[]): Step[] {
  return rows.map((left) => ({ left }));
}

function rights(rows: readonly Row[]): Step[] {
  return rows.map((right) => ({ right }));
}

function watermark(watermarkMs: number | undefined): Step[] {
  return watermarkMs === undefined ? [] : [{ watermark: watermarkMs }];
}

/** The watermark before each round. */
function before(rounds: readonly Round[], index: number): number {
  return rounds[index - 1]?.watermarkMs ?? Number.NEGATIVE_INFINITY;
}

/** Rows that are not late. A row that is as old as the watermark is late here: the watermark says that none comes any more. */
function timely(rounds: readonly Round[]): Step[][] {
  return rounds.map(({ left, right }, index) => [...lefts(left), ...rights(right)].filter((step) => rowOf(step).t > before(rounds, index)));
}

/** By round what is late. */
function late(rounds: readonly Round[]): string[][] {
  return rounds.map(({ left, right }, index) =>
    [...left, ...right].filter(({ t }) => t <= before(rounds, index)).map(({ k, name, t }) => `${k} late ${name} at ${t}`),
  );
}

function rowOf(step: Step): Row {
  if ('left' in step) return step.left;
  if ('right' in step) return step.right;
  throw new Error(`no row: ${JSON.stringify(step)}`);
}

/** The time of each row by its name. */
function timesOf(rounds: readonly Round[]): ReadonlyMap<string, number> {
  return new Map(rounds.flatMap(({ left, right }) => [...left, ...right].map(({ name, t }) => [name, t] as const)));
}

/** Pairs come when the watermark has come to the later row, and what is alone when it has come to the end of its interval. */
function inTime(asked: IntervalCase, given: readonly Output[]): Rounds {
  const times = timesOf(asked.rounds);
  const timeOf = (name = '') => times.get(name) ?? Number.NaN;
  const due = given.map(({ text, timestamp }) => {
    const [, left, right] = text.split(' ');
    const alone = right === '-';
    const at = alone ? timeOf(left) + Math.max(0, asked.upperBoundMs) : Math.max(timeOf(left), timeOf(right));
    // Of what is alone neither says when its interval is over.
    return { at, text: `${text} at ${alone ? at : (timestamp ?? at)}` };
  });
  return late(asked.rounds).map((ofRound, index) => {
    const { watermarkMs = Number.NEGATIVE_INFINITY } = asked.rounds[index] as Round;
    return [...ofRound, ...due.filter(({ at }) => at > before(asked.rounds, index) && at <= watermarkMs).map(({ text }) => text)];
  });
}

/** Kafka Streams waits for stream time, and so until the end; Flink for the watermark. */
function asOf(asked: AsOfCase, steps: readonly Answer[], peer: Peer): Rounds {
  const times = timesOf(asked.rounds);
  const timed = ({ text, timestamp }: Output) => ({ text, at: timestamp ?? times.get(text.split(' ')[1] ?? '') ?? Number.NaN });
  const all = steps.map((round) => round.flat().map(timed));
  return late(asked.rounds).map((ofRound, index) => {
    const { watermarkMs = Number.NEGATIVE_INFINITY } = asked.rounds[index] as Round;
    const due =
      peer === 'Kafka Streams' ? all.flat().filter(({ at }) => at > before(asked.rounds, index) && at <= watermarkMs) : (all[index] ?? []);
    return [...ofRound, ...due.map(({ text, at }) => `${text} at ${at}`)];
  });
}

/** Of a window that fires more than once in a round the last time counts. */
function windowsOnce({ shape, rounds }: WindowCase, steps: readonly Answer[]): Rounds {
  const times = timesOf(rounds);
  return steps.map((round) => {
    const windows = new Map<string, string[]>();
    for (const outputs of round) {
      const fired = Map.groupBy(outputs, ({ text, timestamp }) => `${text.split(' ')[0]} ${timestamp}`);
      for (const [window, of] of fired) {
        const shown = of.map(
          ({ text, timestamp = Number.NaN }) => `${inOrder(text, times)} at ${shape.kind === 'session' ? timestamp + 1 : timestamp}`,
        );
        windows.set(window, shown);
      }
    }
    return [...windows.values()].flat();
  });
}

/** `coGroup` is given rows in order of time here, and in that of arrival by Flink. */
function inOrder(text: string, times: ReadonlyMap<string, number>): string {
  const timeOf = (name: string) => times.get(name) ?? Number.NaN;
  return text.replace(
    /\[(?<names>[^\]]*)\]/g,
    (_, names: string) =>
      `[${names
        .split(',')
        .toSorted((one, other) => timeOf(one) - timeOf(other))
        .join(',')}]`,
  );
}

/** What a row brings about has its time. */
function atRowOf({ rounds }: Question, steps: readonly Answer[]): string[][] {
  return steps.map((round, index) =>
    round.flatMap((outputs, at) => outputs.map(({ text }) => `${text} at ${rowOf(rounds[index]?.[at] as Step).t}`)),
  );
}
