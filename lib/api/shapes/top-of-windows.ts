import type { Serde } from '../../format/serde.ts';
import { int64, structured } from '../../format/serdes.ts';
import { madeOf } from '../../format/versioned.ts';
import {
  JobDefinitionError,
  type KeyedContext,
  type Output,
  type Stamped,
  type Timer,
  type Timers,
  type WindowNode,
} from '../../graph/job.ts';
import { alignmentOf } from '../../operators/kinds/window/aligned.ts';
import { writeSized } from '../../state/columns/encoding.ts';
import type { MapState } from '../../state/columns/map.ts';
import type { ValueState } from '../../state/columns/value.ts';
import { Cursor } from '../../state/snapshot/cursor.ts';
import type { JobDraft } from '../job-draft.ts';
import { addProcess, type DraftedProcess } from '../process.ts';
import { mapState, valueState } from '../state.ts';
import { expectSerde } from '../user-serde.ts';
import { encodingOf } from './encoding-of.ts';
import { type AnyOrder, Ranking } from './ranking.ts';

/**
 * Behind windows the first results of those of all keys that are of one window. They have its last millisecond for their time, and come in one
 * epoch: they are brought together by it, and a timer of that time gives the first of them. Answers its node. Throws `JobDefinitionError`.
 *
 * @param value of the results, undefined: structured
 */
export function addTopOfWindows(
  draft: JobDraft,
  windows: number,
  uid: string,
  order: AnyOrder,
  value: Serde<unknown> = structured,
): number {
  const where = `job ${draft.name}: topN ${uid}`;
  const node = draft.nodes[windows];
  const keyBy = node?.kind === 'window' ? draft.nodes[node.inputs[0] ?? -1] : undefined;
  if (node?.kind !== 'window' || keyBy?.kind !== 'keyBy') throw new Error(`node ${windows} is no window behind a keyBy`);
  expectSerde(value, `${where}: value`);
  const ranking = new Ranking(order, value, where);
  if (order.ttlMs !== undefined)
    throw new JobDefinitionError(`${where}: ttlMs is for the first of a key, and not for those of a window, which go with it: take it out`);
  const operator = topOf(node, ranking, keyBy.key, value, where);
  const together = draft.add({
    kind: 'keyBy',
    inputs: [draft.add({ kind: 'stamp', inputs: [windows] })],
    selector: (result) => (result as Stamped).timestamp,
    key: int64 as Serde<unknown>,
    value: resultSerde(keyBy.key, value),
  });
  const { state, onRecord, onTimer } = operator;
  const timers = node.time === 'processing' ? 'processing-time' : undefined;
  return addProcess(draft, uid, { state, inputs: [{ node: together, name: 'results', onRecord }], onTimer, timers, inTimeOrder: false });
}

/** A result of a window, behind the key that it is of. */
type Result = Pick<Stamped, 'key' | 'value'>;

/** What runs by the window's last millisecond, its key. */
interface TopOperator extends Pick<DraftedProcess, 'state'> {
  onRecord(result: Result, state: unknown, out: unknown, context: KeyedContext<number>): void;
  onTimer(timer: Timer, state: unknown, out: Output<unknown>, context: KeyedContext<number>): void;
}

function topOf(node: WindowNode, ranking: Ranking, key: Serde<unknown>, value: Serde<unknown>, where: string): TopOperator {
  const { shape, make, time, allowedLatenessMs, earlyEveryMs } = node;
  if (shape.kind === 'session' || shape.kind === 'count')
    throw new JobDefinitionError(`${where}: ${shape.kind}Windows of several keys are not one: take windows that begin at fixed times`);
  const { startOf } = alignmentOf(shape);
  const place: TopPlace = {
    ranking,
    // One of processing time is over when that is behind it.
    overAt: (lastMs) => (time === 'processing' ? lastMs + 1 : lastMs),
    wake: (timers, atMs) => (time === 'processing' ? timers.setProcessingTime(atMs) : timers.setEventTime(atMs)),
    give: (out, lastMs, top) => out.emit({ startMs: startOf(lastMs + 1), endMs: lastMs + 1, value: top }),
  };
  if (allowedLatenessMs === 0 && earlyEveryMs === undefined) return topOfOnce(place);
  if (make.kind === 'process')
    throw new JobDefinitionError(
      `${where}: the windows before it give results more than once (allowedLatenessMs, earlyEveryMs), and of several results for one key nobody knows which take the place of which: make them by aggregate, reduce, topN or distinctCount`,
    );
  return topOfNewest(place, mapState(key, value), allowedLatenessMs);
}

interface TopPlace {
  readonly ranking: Ranking;
  overAt(lastMs: number): number;
  wake(timers: Timers, atMs: number): void;
  give(out: Output<unknown>, lastMs: number, top: readonly unknown[]): void;
}

/** Each result comes once: no more is kept than the first of them. */
function topOfOnce({ ranking, overAt, wake, give }: TopPlace): TopOperator {
  const topIn = (state: unknown) => (state as { readonly top: ValueState<unknown[], unknown[]> }).top;
  return {
    state: { top: valueState(ranking.serde, []) },
    onRecord({ value }, state, _out, { key: lastMs, timers }) {
      const top = topIn(state).get();
      if (ranking.add(top, value) >= 0) topIn(state).set(top);
      wake(timers, overAt(lastMs));
    },
    onTimer(_timer, state, out, { key: lastMs }) {
      give(out, lastMs, topIn(state).get());
      topIn(state).clear();
    },
  };
}

/** A key's result takes the place of the one before: all are kept until none can come any more. */
function topOfNewest(
  { ranking, overAt, wake, give }: TopPlace,
  results: ReturnType<typeof mapState>,
  allowedLatenessMs: number,
): TopOperator {
  const resultsIn = (state: unknown) => (state as { readonly results: MapState<unknown, unknown> }).results;
  return {
    state: { results },
    onRecord({ key, value }, state, _out, { key: lastMs, timers }) {
      resultsIn(state).set(key, value);
      wake(timers, overAt(lastMs));
      wake(timers, overAt(lastMs) + allowedLatenessMs);
    },
    onTimer({ timeMs }, state, out, { key: lastMs }) {
      const all = resultsIn(state);
      if (timeMs === overAt(lastMs)) {
        const top: unknown[] = [];
        for (const value of all.values()) ranking.add(top, value);
        give(out, lastMs, top);
      }
      if (timeMs === overAt(lastMs) + allowedLatenessMs) all.clear();
    },
  };
}

function resultSerde(key: Serde<unknown>, of: Serde<unknown>): Serde<unknown> {
  return madeOf(of, (value) => resultOf(key, value));
}

function resultOf(key: Serde<unknown>, value: Serde<unknown>): Serde<unknown> {
  const name = `${value.name} of ${key.name}`;
  return {
    name,
    write(result, out) {
      const of = result as Result;
      writeSized(encodingOf(key, of.key), out);
      value.write(of.value, out);
    },
    read(bytes, start, end): Result {
      const cursor = new Cursor(bytes, name, start, end);
      const size = cursor.size();
      cursor.position += size;
      return { key: key.read(bytes, cursor.position - size, cursor.position), value: value.read(bytes, cursor.position, end) };
    },
  };
}
