import type { KeyedContext, ProcessNode, Timers } from '../../../../lib/graph/job.ts';
import type { Epoch, TimeTold } from './epoch.ts';
import type { Handle } from './handles.ts';
import { copied, decoded, type Row, type RowKey } from './rows.ts';
import { leastDue, type TimersHandle } from './timers.ts';

/** Name of the state that has an operator's timers. */
const TIMERS = '@timers';

/** Its subtasks one after the other: each works on its keys' rows in their order, and then has fire what is due. */
export function process(node: ProcessNode, input: readonly Row[], epoch: Epoch): readonly Row[] {
  const { told, stateOf } = epoch;
  const subtaskOf = (key: Buffer) => told.subtaskOf(node.uid, key);
  const rows = Map.groupBy(input, ({ key }) => subtaskOf(keyOf(node, key).bytes));
  const withState = Map.groupBy(stateOf(node).keys.keys(), (key) => subtaskOf(Buffer.from(key, 'latin1')));
  const subtasks = [...new Set([...rows.keys(), ...withState.keys()])].sort((one, other) => one - other);
  return subtasks.flatMap((subtask) => [
    ...(rows.get(subtask) ?? []).flatMap((row) => processOne(node, row, epoch)),
    ...fireIn(node, epoch, (key) => subtaskOf(key) === subtask),
  ]);
}

function processOne(node: ProcessNode, { value, timestamp, key: rowKey }: Row, epoch: Epoch): readonly Row[] {
  const time = epoch.told.timeOf(node.uid);
  return workOn(node, epoch, { key: keyOf(node, rowKey), timestamp, watermarkMs: time?.beforeMs }, (states, out, context) => {
    node.onRecord(value, states, out, context);
  });
}

/** One after the other, always the first of those that are due then. */
function fireIn(node: ProcessNode, epoch: Epoch, isOwn: (key: Buffer) => boolean): readonly Row[] {
  const { onTimer } = node;
  const time = epoch.told.timeOf(node.uid);
  const serde = epoch.told.keySerdeOf(node.uid);
  const made: Row[] = [];
  for (;;) {
    const due = onTimer === undefined || time === undefined ? undefined : leastDue(epoch.stateOf(node).keys, time, epoch.told, isOwn);
    if (due === undefined || onTimer === undefined) return made;
    const { domain, timeMs } = due;
    const of = { key: { bytes: due.key, serde }, timestamp: timeMs, watermarkMs: time?.afterMs };
    const work = workOn(node, epoch, of, (states, out, context, timers) => {
      timers?.delete(domain, timeMs);
      onTimer({ domain, timeMs }, states, out, context);
    });
    made.push(...work);
  }
}

interface Of {
  readonly key: RowKey;
  readonly timestamp: number;
  readonly watermarkMs: number | undefined;
}

type Work = (
  states: unknown,
  out: { emit(value: unknown): void },
  context: KeyedContext<unknown>,
  timers: TimersHandle | undefined,
) => void;

function workOn(node: ProcessNode, { told, stateOf }: Epoch, { key, timestamp, watermarkMs }: Of, work: Work): readonly Row[] {
  const emitted: Row[] = [];
  const out = { emit: (result: unknown) => void emitted.push({ value: copied(result), timestamp, key }) };
  stateOf(node).workOn(key.bytes.toString('latin1'), ({ [TIMERS]: handle, ...states }) => {
    const timers = handle as TimersHandle | undefined;
    work(states, out, contextOf(node, { key, timestamp, watermarkMs }, told.timeOf(node.uid), timers), timers);
  });
  return emitted;
}

function contextOf(
  node: ProcessNode,
  { key, timestamp, watermarkMs }: Of,
  time: TimeTold | undefined,
  handle: Handle | undefined,
): KeyedContext<unknown> {
  const timers = handle as TimersHandle | undefined;
  return {
    key: decoded(key.serde, key.bytes),
    timestamp,
    get watermarkMs() {
      return watermarkMs ?? Number.NEGATIVE_INFINITY;
    },
    get processingTimeMs() {
      if (time === undefined) throw new TypeError(`${node.uid} reads the time of a job that does not use it`);
      return time.processingMs;
    },
    get timers(): Timers {
      if (timers === undefined) throw new TypeError(`${node.uid} has no timers`);
      return {
        setEventTime: (timeMs) => timers.set('event', timeMs),
        deleteEventTime: (timeMs) => timers.delete('event', timeMs),
        setProcessingTime: (timeMs) => timers.set('processing', timeMs),
        deleteProcessingTime: (timeMs) => timers.delete('processing', timeMs),
      };
    },
  };
}

function keyOf({ uid }: ProcessNode, key: RowKey | undefined): RowKey {
  if (key === undefined) throw new TypeError(`${uid} is given a row without a key`);
  return key;
}
