import { nameInCluster } from '../../config/clusters.ts';
import { NotPreparedError } from '../../format/not-prepared.ts';
import type { RecordSetReader } from '../../format/record-set-reader.ts';
import type { Serde } from '../../format/serde.ts';
import { bytes } from '../../format/serdes.ts';
import type { SourceNode } from '../../graph/job.ts';
import type { RecordPlace } from '../../protocol/requests.ts';
import { MalformedRecordError, MissingValueError, UserCodeError } from '../../records/errors.ts';
import { refusePromise } from '../../records/push.ts';
import type { SourceKind } from '../kind.ts';

/** Begins the chain of a source stage. */
export const source: SourceKind<SourceNode> = {
  open: (node, reader) => (node.select === undefined ? valueReader(node, reader) : selectReader(node, node.select, reader)),
};

type ReadValue = (topic: string, partition: number) => unknown;

/** The stream is the records' values. */
function valueReader({ uid, value: serde }: SourceNode, reader: RecordSetReader): ReadValue {
  return (topic, partition) => {
    if (reader.valueStart < 0) throw new MissingValueError({ topic, partition, offset: reader.offset }, uid);
    try {
      return serde.read(reader.bytes, reader.valueStart, reader.valueEnd);
    } catch (cause) {
      if (cause instanceof NotPreparedError) throw cause;
      const record = { topic, partition, offset: reader.offset };
      const unread = reader.bytes.subarray(reader.valueStart, reader.valueEnd);
      throw new MalformedRecordError({ part: 'value', record, source: uid, serde: serde.name, bytes: unread }, cause);
    }
  };
}

/** The stream is what the user's `select` makes of the records. */
function selectReader({ uid, key, value }: SourceNode, select: NonNullable<SourceNode['select']>, reader: RecordSetReader): ReadValue {
  const keySerde = key ?? (bytes as Serde<unknown>);
  const readPart = (part: 'key' | 'value', serde: Serde<unknown>, start: number, end: number, place: RecordPlace): unknown => {
    if (start < 0) return undefined;
    try {
      return serde.read(reader.bytes, start, end);
    } catch (cause) {
      if (cause instanceof NotPreparedError) throw cause;
      const unread = reader.bytes.subarray(start, end);
      throw new MalformedRecordError({ part, record: place, source: uid, serde: serde.name, bytes: unread }, cause);
    }
  };
  return (topic, partition) => {
    const { offset, timestamp } = reader;
    const place = { topic, partition, offset };
    const recordKey = readPart('key', keySerde, reader.keyStart, reader.keyEnd, place);
    const recordValue = readPart('value', value, reader.valueStart, reader.valueEnd, place);
    // Copies, which may be kept: what is read is views on the response.
    const headers = reader.headers().map(({ key, value }) => ({ key, value: value === undefined ? undefined : Buffer.from(value) }));
    try {
      const result = select({ key: recordKey, value: recordValue, headers, timestamp, topic: nameInCluster(topic), partition, offset });
      if (typeof result === 'object') refusePromise(result);
      return result;
    } catch (cause) {
      throw new UserCodeError(`select of ${uid}`, cause);
    }
  };
}
