import type { FilterNode, FlatMapNode, JobNode, KeyByNode, MapNode, ProcessNode, SinkNode, SourceNode } from '../../../../lib/graph/job.ts';
import { hashOf } from '../key-groups.ts';
import { textOf } from '../texts.ts';
import type { Belongs, Epoch, Written } from './epoch.ts';
import { copied, decoded, encoded, type Row, type RowKey } from './rows.ts';

/**
 * What a node makes of all rows of an epoch. They come, and go, in the order that is documented: of the upstream subtasks, and
 * of each in the order in which it made them. Values are the node's own: it may change them. What else it works by is in the
 * epoch: what was told of it, and the state.
 */
type Interpret<N extends JobNode> = (node: N, input: readonly Row[], epoch: Epoch) => readonly Row[];

/** A new kind of node is a line here, and its function: without it this does not compile. */
export const kinds: { readonly [Kind in JobNode['kind']]: Interpret<Extract<JobNode, { kind: Kind }>> } = {
  source: read,
  map,
  filter,
  flatMap,
  keyBy,
  process,
  sink: write,
};

function read({ uid, key: keySerde, value: valueSerde, select }: SourceNode, _: readonly Row[], { told }: Epoch): readonly Row[] {
  return (told.input.get(uid) ?? []).map((record) => {
    const { topic, partition, offset, timestamp, headers } = record;
    const value = record.value === undefined ? undefined : decoded(valueSerde, record.value);
    if (select === undefined) {
      if (value === undefined) throw new TypeError(`${topic}-${partition}, offset ${offset} has no value`);
      return { value, timestamp, key: undefined };
    }
    const key = record.key === undefined || keySerde === undefined ? record.key : decoded(keySerde, record.key);
    return { value: select({ key, value, headers, timestamp, topic, partition, offset }), timestamp, key: undefined };
  });
}

function map({ fn }: MapNode, input: readonly Row[]): readonly Row[] {
  return input.map((row) => ({ ...row, value: fn(row.value) }));
}

function filter({ fn }: FilterNode, input: readonly Row[]): readonly Row[] {
  return input.filter(({ value }) => fn(value));
}

function flatMap({ fn }: FlatMapNode, input: readonly Row[]): readonly Row[] {
  return input.flatMap((row) => [...(fn(row.value) as Iterable<unknown>)].map((value) => ({ ...row, value })));
}

/** The value goes through its serde, or is the key itself. -0 and 0 are one key. */
function keyBy({ selector, key: keySerde, value: valueSerde }: KeyByNode, input: readonly Row[]): readonly Row[] {
  return input.map(({ value, timestamp }) => {
    const selected = selector(value);
    const key: RowKey = { bytes: encoded(keySerde, selected === 0 ? 0 : selected), serde: keySerde };
    return { value: selected === value ? decoded(keySerde, key.bytes) : decoded(valueSerde, encoded(valueSerde, value)), timestamp, key };
  });
}

/** Its subtasks one after the other: each works on its keys' rows in their order. */
function process(node: ProcessNode, input: readonly Row[], { told, stateOf }: Epoch): readonly Row[] {
  const subtasks = Map.groupBy(input, ({ key }) => told.subtaskOf(node.uid, keyOf(node, key).bytes));
  const inOrder = [...subtasks].sort(([one], [other]) => one - other);
  return inOrder.flatMap(([, rows]) => rows.flatMap((row) => processOne(node, row, stateOf)));
}

function processOne(node: ProcessNode, { value, timestamp, key: rowKey }: Row, stateOf: Epoch['stateOf']): readonly Row[] {
  const key = keyOf(node, rowKey);
  const emitted: Row[] = [];
  const out = { emit: (result: unknown) => void emitted.push({ value: copied(result), timestamp, key }) };
  const context = { key: decoded(key.serde, key.bytes), timestamp };
  stateOf(node).workOn(key.bytes.toString('latin1'), (states) => {
    node.onRecord(value, states, out, context);
  });
  return emitted;
}

function keyOf({ uid }: ProcessNode, key: RowKey | undefined): RowKey {
  if (key === undefined) throw new TypeError(`${uid} is given a row without a key`);
  return key;
}

function write(node: SinkNode, input: readonly Row[], { written }: Epoch): readonly Row[] {
  written.set(
    node.uid,
    input.map((row) => writtenOf(node, row)),
  );
  return [];
}

function writtenOf({ to: { key: keySerde, value: valueSerde, toRecord } }: SinkNode, row: Row): Written {
  const made = toRecord === undefined ? { value: row.value } : toRecord(row.value);
  if (toRecord === undefined && made.value === undefined) throw new TypeError('undefined has no encoding');
  const key = made.key === undefined || keySerde === undefined ? undefined : encoded(keySerde, made.key);
  const text = textOf({
    key,
    value: made.value === undefined ? undefined : encoded(valueSerde, made.value),
    headers: (made.headers ?? []).map((header) => ({
      key: header.key,
      value: header.value === undefined ? undefined : Buffer.from(header.value),
    })),
    timestamp: made.timestamp ?? row.timestamp,
  });
  return { text, belongs: belongsOf(made.partition, key, row.key) };
}

/** By the partition that the author says, else by the record's key, else by the stream's. */
function belongsOf(partition: number | undefined, recordKey: Buffer | undefined, streamKey: RowKey | undefined): Belongs {
  if (partition !== undefined) return { by: 'partition', partition };
  const key = recordKey ?? streamKey?.bytes;
  return key === undefined ? { by: 'nothing' } : { by: 'key', hash: hashOf(key), stream: streamKey?.bytes.toString('latin1') };
}
