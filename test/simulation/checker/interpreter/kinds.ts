import type {
  BroadcastNode,
  FilterNode,
  FlatMapNode,
  JobNode,
  KeyByNode,
  MapAsyncNode,
  MapNode,
  SideOutputNode,
  SinkNode,
  SourceNode,
  StampNode,
  UnionNode,
} from '../../../../lib/graph/job.ts';
import type { Answer } from '../../user-code.ts';
import { hashOf } from '../key-groups.ts';
import { textOf } from '../texts.ts';
import type { Belongs, Epoch, Written } from './epoch.ts';
import { process } from './process.ts';
import { copied, decoded, encoded, type Row, type RowKey } from './rows.ts';
import { readValue, timestampOf } from './values.ts';
import { madeOf, originOfRecord } from './waiting.ts';
import { window } from './window.ts';

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
  mapAsync,
  union,
  stamp,
  keyBy,
  broadcast,
  process,
  window,
  sideOutput,
  sink: write,
};

function read(node: SourceNode, _: readonly Row[], { told }: Epoch): readonly Row[] {
  return (told.input.get(node.uid) ?? []).map((record) => {
    const value = readValue(node, record);
    const origin = originOfRecord(node.uid, record.partition, record.offset);
    return { value, timestamp: timestampOf(node, value, record), key: undefined, origin };
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

/** It does not wait: what the functions of simulated jobs will answer is known at once. */
function mapAsync({ id, fn }: MapAsyncNode, input: readonly Row[]): readonly Row[] {
  const made = new Map<string, number>();
  return input.map((row) => {
    const nth = made.get(row.origin) ?? 0;
    made.set(row.origin, nth + 1);
    const { known } = fn(row.value, { signal: new AbortController().signal }) as Answer<unknown>;
    return { ...row, value: known, origin: madeOf(madeOf(row.origin, id), nth) };
  });
}

/** One input behind the other. That is the order of what is made in different stages; how one stage mixes, is not modelled. */
function union(_: UnionNode, input: readonly Row[]): readonly Row[] {
  return input;
}

function stamp(_: StampNode, input: readonly Row[]): readonly Row[] {
  return input.map((row) => {
    const { timestamp, value } = row;
    const key = row.key && decoded(row.key.serde, row.key.bytes);
    return { ...row, value: { timestamp, key, value } };
  });
}

function broadcast({ value: serde }: BroadcastNode, input: readonly Row[]): readonly Row[] {
  const made = new Map<string, number>();
  return input.map(({ value, timestamp, origin: of }) => {
    const nth = made.get(of) ?? 0;
    made.set(of, nth + 1);
    return { value: decoded(serde, encoded(serde, value)), timestamp, key: undefined, origin: madeOf(of, nth) };
  });
}

/** The value goes through its serde, or is the key itself. -0 and 0 are one key. */
function keyBy({ selector, key: keySerde, value: valueSerde }: KeyByNode, input: readonly Row[]): readonly Row[] {
  const made = new Map<string, number>();
  return input.map(({ value, timestamp, origin: of }) => {
    const nth = made.get(of) ?? 0;
    made.set(of, nth + 1);
    const origin = madeOf(of, nth);
    const selected = selector(value);
    const key: RowKey = { bytes: encoded(keySerde, selected === 0 ? 0 : selected), serde: keySerde };
    return {
      value: selected === value ? decoded(keySerde, key.bytes) : decoded(valueSerde, encoded(valueSerde, value)),
      timestamp,
      key,
      origin,
    };
  });
}

function sideOutput({ inputs: [operator = -1], tag }: SideOutputNode, _: readonly Row[], { aside }: Epoch): readonly Row[] {
  return (aside.get(`${operator} ${tag}`) ?? []).map((row) => ({ ...row, value: copied(row.value) }));
}

function write(node: SinkNode, input: readonly Row[], { written }: Epoch): readonly Row[] {
  written.set(
    node.uid,
    input.map((row) => writtenOf(node, row)),
  );
  return [];
}

function writtenOf({ to }: SinkNode, row: Row): Written {
  // Rows, as those write them that read them.
  if (to.kind !== 'kafka') return { text: String(row.value), topic: '', belongs: { by: 'nothing' } };
  const { topics, topicOf, toRecord } = to;
  const name = topicOf === undefined ? topics[0]?.name : topicOf(row.value);
  const at = topics.find((each) => each.name === name);
  if (at === undefined) throw new TypeError(`topic gave ${String(name)}`);
  const { topic, key: keySerde, value: valueSerde } = at;
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
  return { text, topic, belongs: belongsOf(made.partition, key, row.key) };
}

/** By the partition that the author says, else by the record's key, else by the stream's. */
function belongsOf(partition: number | undefined, recordKey: Buffer | undefined, streamKey: RowKey | undefined): Belongs {
  if (partition !== undefined) return { by: 'partition', partition };
  const key = recordKey ?? streamKey?.bytes;
  return key === undefined ? { by: 'nothing' } : { by: 'key', hash: hashOf(key), stream: streamKey?.bytes.toString('latin1') };
}
