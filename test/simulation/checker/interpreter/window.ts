import { byName } from '../../../../lib/config/by-name.ts';
import type { WindowNode } from '../../../../lib/graph/job.ts';
import type { NaiveResult } from '../../../support/naive-windows.ts';
import { type Epoch, giveAside } from './epoch.ts';
import { copied, decoded, type Row, type RowKey } from './rows.ts';
import { originOfTimer } from './waiting.ts';

/** All rows of the epoch at once; what its subtasks make of them comes one subtask after the other. */
export function window(node: WindowNode, input: readonly Row[], epoch: Epoch): readonly Row[] {
  const { told } = epoch;
  const bytesOf = (key: string) => Buffer.from(key, 'latin1');
  const byKey = (one: string, other: string) =>
    told.keyGroupOf(bytesOf(one)) - told.keyGroupOf(bytesOf(other)) || Buffer.compare(bytesOf(one), bytesOf(other));
  // Of several streams a value says which one it is of.
  const given = ({ value, input: of = 0 }: Row) => (node.inputs.length > 1 ? { input: of, value } : value);
  const rows = input.map((row) => ({
    key: (row.key as RowKey).bytes.toString('latin1'),
    timestamp: row.timestamp,
    value: given(row),
  }));
  const time = told.timeOf(node.uid) ?? { beforeMs: undefined, afterMs: undefined, processingMs: 0 };
  const { results, late } = epoch.windowsOf(node).run(rows, time, byKey);
  for (const row of late) giveAside(epoch, node, 'late', input[rows.indexOf(row as (typeof rows)[number])] as Row);
  const bySubtask = Map.groupBy(results, ({ key }) => told.subtaskOf(node.uid, bytesOf(key)));
  const inOrder = [...bySubtask].sort(([one], [other]) => one - other).flatMap(([, own]) => own);
  const serde = told.keySerdeOf(node.uid);
  return inOrder.flatMap((result) => {
    const key: RowKey = { bytes: bytesOf(result.key), serde };
    const origin = originOfTimer(node.uid, 'event', key.bytes);
    const rowOf = (value: unknown): Row => ({ value: copied(value), timestamp: result.timestamp, key, origin });
    const aside = (tag: string, value: unknown) => giveAside(epoch, node, tag, rowOf(value));
    return makeOf(node, result, decoded(serde, key.bytes), aside).map(rowOf);
  });
}

/** What the author's functions make of a window's values, one after the other. */
function makeOf(
  { make }: WindowNode,
  { rows, startMs, endMs, isEarly, isUpdate }: NaiveResult,
  key: unknown,
  aside: (tag: string, value: unknown) => void,
): unknown[] {
  const context = { key, startMs, endMs, count: rows.length, isEarly, isUpdate };
  if (make.kind === 'fold') {
    const [first, ...others] = rows.map(({ value }) => copied(value));
    return [make.result(others.reduce(make.add, make.first(first)), context)];
  }
  const made: unknown[] = [];
  const inOrder = [...rows].sort((one, other) => one.atMs - other.atMs).map(({ value }) => copied(value));
  const sideOutputs = byName(make.sideOutputs.map((tag) => [tag, { emit: (value: unknown) => aside(tag, value) }] as const));
  make.process(inOrder, { ...context, sideOutputs }, { emit: (value) => void made.push(copied(value)) });
  return made;
}
