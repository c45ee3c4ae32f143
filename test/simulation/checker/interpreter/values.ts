import type { SourceNode } from '../../../../lib/graph/job.ts';
import type { InputRecord } from './epoch.ts';
import { decoded } from './rows.ts';

/** What a source makes of a record. */
export function readValue({ key: keySerde, value: valueSerde, select }: SourceNode, record: InputRecord): unknown {
  const { topic, partition, offset, timestamp, headers } = record;
  const value = record.value === undefined ? undefined : decoded(valueSerde, record.value);
  if (select === undefined) {
    if (value === undefined) throw new TypeError(`${topic}-${partition}, offset ${offset} has no value`);
    return value;
  }
  const key = record.key === undefined || keySerde === undefined ? record.key : decoded(keySerde, record.key);
  return select({ key, value, headers, timestamp, topic, partition, offset });
}

export function timestampOf({ eventTime }: SourceNode, value: unknown, { timestamp }: InputRecord): number {
  return eventTime?.timestamp === undefined ? timestamp : (eventTime.timestamp(value, timestamp) as number);
}
