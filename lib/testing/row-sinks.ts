import { deserialize, serialize } from 'node:v8';
import type { Serde } from '../format/serde.ts';
import type { JobDefinition, SinkNode } from '../graph/job.ts';
import { UserCodeError } from '../records/errors.ts';
import { openSinkEncoder } from '../sinks/kinds.ts';

/** The job, whose sinks all write records: to what is no topic, the rows that it was given, when it could take them. */
export function withRecordSinks({ name, nodes }: JobDefinition): JobDefinition {
  return {
    name,
    nodes: nodes.map((node) => (node.kind === 'sink' && node.to.kind !== 'kafka' ? { ...node, to: recordSink(node) } : node)),
  };
}

function recordSink(node: SinkNode): SinkNode['to'] {
  const topic = `rows-of-${node.uid}`;
  return {
    kind: 'kafka',
    topics: [{ name: topic, topic, key: undefined, value: rowsOf(node) }],
    topicOf: undefined,
    delivery: 'exactly-once',
    toRecord: undefined,
  };
}

function rowsOf({ uid, to }: SinkNode): Serde<unknown> {
  // What a table of DynamoDB takes, hangs on its keys, and there is no table.
  const encoder = to.kind === 'dynamodb' ? undefined : openSinkEncoder(to, { sink: uid, facts: () => ({}), current: NO_RECORD });
  return {
    name: 'rows',
    write(row, out) {
      encoder?.begin();
      try {
        encoder?.append(row);
      } catch (error) {
        throw error instanceof UserCodeError ? error.cause : error;
      }
      out.raw(serialize(row));
    },
    read: (bytes, start, end) => deserialize(bytes.subarray(start, end)) as unknown,
  };
}

const NO_RECORD = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };
