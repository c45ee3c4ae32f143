import { canonical, type Query } from './queries.ts';

/** What a job wrote, each partition in its order. */
export interface Written {
  readonly partition: number;
  readonly key: string | null | undefined;
  readonly value: string | null;
}

/**
 * What the records say, as sorted text: all of them, or of an update stream the last of each key. Throws when the keys of an update stream
 * do not stand for the query's key fields, or are in several partitions.
 */
export function resultsOf(records: readonly Written[], { key: fields, fixed = (all) => all }: Query): string[] {
  const parsed = ({ value }: Written) => JSON.parse(value ?? 'null') as Record<string, unknown>;
  if (fields.length === 0) return fixed(records.map(parsed)).map(canonical).toSorted();
  const last = new Map<string, Written>();
  for (const record of records) {
    const value = parsed(record);
    const identity = JSON.stringify(fields.map((field) => value[field]));
    const before = last.get(identity);
    if (record.key == null) throw new Error(`a record without a key: ${record.value}`);
    if (before !== undefined && (before.key !== record.key || before.partition !== record.partition))
      throw new Error(`${identity} has the key ${before.key} in partition ${before.partition}, and ${record.key} in ${record.partition}`);
    last.set(identity, record);
  }
  if (new Set([...last.values()].map(({ key }) => key)).size !== last.size) throw new Error('one key stands for several results');
  return [...last.values()].map((record) => canonical(parsed(record))).toSorted();
}
