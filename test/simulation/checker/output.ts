import { DEAD_LETTER_TOPIC, DEAD_LETTERS, type SimJob } from '../jobs.ts';
import type { Broker } from '../models/kafka-broker.ts';
import type { Partition } from '../models/partition.ts';
import { differenceOf, multiset, range } from './counting.ts';
import type { Life } from './life.ts';
import { readCommitted } from './reader.ts';

/** A record in a log, with the sink subtask and the epoch that it is of. */
interface Attributed {
  readonly log: Partition;
  readonly offset: number;
  readonly value: string;
  readonly where: string;
  readonly epoch: number;
}

/** Of records that were sent outside a transaction. */
const NO_PRODUCER = '-1/-1';

/** What the checker knows of what is in the logs. */
export interface Seen {
  readonly job: SimJob;
  readonly broker: Broker;
  readonly lives: readonly Life[];
  /** By producer id and epoch: whose transaction it was. */
  readonly producers: ReadonlyMap<string, { readonly life: Life; readonly where: string; readonly epoch: number }>;
  /** Of records outside a transaction, by log and offset: the incarnation that sent them. */
  readonly plain: ReadonlyMap<Partition, ReadonlyMap<number, Life>>;
  /** Is what an epoch has staged there gone by no fault of the job's? */
  readonly isExcused: (life: Life, where: string, epoch: number, place: string) => boolean;
  readonly fail: (invariant: 'I2' | 'I5', message: string) => void;
}

/**
 * In the end: what a `read_committed` reader was given of the job's topics, from their beginning, is the fold of the input,
 * in order. A topic that was made anew has two logs or more, and a reader has read what was in each.
 */
export function checkOutput(seen: Seen): void {
  for (const life of seen.lives) for (const logs of logsOf(seen, DEAD_LETTER_TOPIC)) checkOrder(seen, life, DEAD_LETTERS, logs);
  for (const [uid, { topic, writes }] of Object.entries(seen.job.sinks)) {
    for (const life of seen.lives) {
      const records = logsOf(seen, topic).map((logs) => checkOrder(seen, life, uid, logs));
      const isExcused = ({ where, epoch, log }: Attributed) => seen.isExcused(life, where, epoch, `${topic} ${log.partition}`);
      if (writes === 'counts') checkKeys(seen, topic, records.flat(), isExcused);
      const written = life.written.get(uid) ?? new Map<string, number>();
      const expected =
        writes === 'lines' ? written : multiset([...written].flatMap(([key, n]) => range(0, n).map((at) => `${key}:::${at}`)));
      const found = multiset(records.flatMap(onceIn));
      for (const value of excusedIn(seen, life, uid)) {
        const n = expected.get(value);
        if (n !== undefined) found.set(value, n);
      }
      const difference = differenceOf(expected, found);
      if (difference !== undefined)
        seen.fail(
          'I2',
          `what a read_committed reader sees of ${topic} (incarnation ${life.incarnation}) is not the fold of the input: ${difference}`,
        );
    }
  }
}

/** By partition, every log that it has had, oldest first. */
function logsOf({ broker }: Seen, topic: string): Partition[][] {
  const all = broker.catalog.everyLog().filter((log) => log.topic === topic);
  return [...Map.groupBy(all, ({ partition }) => partition).values()];
}

/** What was in a log that was deleted, and is in the next one too because it was sent again, counts once. */
function onceIn(records: readonly Attributed[]): string[] {
  const last = new Map(records.map(({ value, log }) => [value, log] as const));
  return records.flatMap(({ value, log }) => (last.get(value) === log ? [value] : []));
}

function excusedIn({ isExcused }: Seen, life: Life, uid: string): string[] {
  return life.decided.flatMap(({ manifest, staged }) =>
    [...staged].flatMap(([where, places]) =>
      where.startsWith(`${uid} `)
        ? [...places].flatMap(([place, values]) => (isExcused(life, where, manifest.epoch, place) ? values : []))
        : [],
    ),
  );
}

/**
 * The counts of one key rise, and are in one partition; in a topic whose partitions became more or others, in one partition for
 * each epoch.
 */
function checkKeys(seen: Seen, topic: string, records: readonly Attributed[], isExcused: (record: Attributed) => boolean): void {
  const isChanged = seen.broker.catalog.hasChanged(topic);
  const partitions = new Map<string, number>();
  const last = new Map<string, number>();
  for (const record of records) {
    const { log, offset, value, epoch } = record;
    const [key = '', n] = value.split(':::');
    const at = `${topic}-${log.partition}, offset ${offset}: ${value}`;
    const moves = isChanged ? `${key} ${epoch}` : key;
    const partition = partitions.get(moves) ?? log.partition;
    partitions.set(moves, partition);
    if (partition !== log.partition) seen.fail('I2', `${at} is not in partition ${partition}, where ${key} was before`);
    const previous = last.get(`${key} ${log.id}`) ?? 0;
    if (Number(n) <= previous && !isExcused(record)) seen.fail('I2', `${at} comes behind ${key}:::${previous}`);
    last.set(`${key} ${log.id}`, Number(n));
  }
}

function recordsOf(seen: Seen, life: Life, logs: readonly Partition[]): Attributed[] {
  const met = new Set<string>();
  return logs.flatMap((log) => {
    const place = `${log.topic} ${log.partition}`;
    return readCommitted(log, 0, log.end).flatMap(({ offset, value, producer }) => {
      // What was sent again outside a transaction counts where it came first.
      if (producer === NO_PRODUCER) {
        const from = met.has(value) || seen.plain.get(log)?.get(offset) !== life ? undefined : life.stagedBy(place, value);
        if (from !== undefined) met.add(value);
        return from === undefined ? [] : [{ log, offset, value, ...from }];
      }
      if (seen.broker.foreign.has(BigInt(producer.split('/')[0] ?? ''))) return [];
      const from = seen.producers.get(producer);
      if (from === undefined && life === seen.lives[0])
        seen.fail('I2', `${log.topic}-${log.partition}, offset ${offset}: a record that no committed transaction of the job wrote`);
      return from?.life === life ? [{ log, offset, value, where: from.where, epoch: from.epoch }] : [];
    });
  });
}

/** Epochs of one sink subtask follow each other in every partition, and hold what was staged. Answers the records. */
function checkOrder(seen: Seen, life: Life, uid: string, logs: readonly Partition[]): Attributed[] {
  const [{ topic = '', partition = -1 } = {}] = logs;
  const records = recordsOf(seen, life, logs);
  const last = new Map<string, number>();
  const byEpoch = new Map<string, Attributed[]>();
  for (const record of records) {
    const { log, offset, where, epoch } = record;
    const previous = last.get(`${where} ${log.id}`) ?? 0;
    if (epoch < previous)
      seen.fail('I5', `${topic}-${partition}, offset ${offset}: epoch ${epoch} of ${where} comes behind its epoch ${previous}`);
    last.set(`${where} ${log.id}`, epoch);
    const key = `${where} ${epoch}`;
    const values = byEpoch.get(key) ?? [];
    values.push(record);
    byEpoch.set(key, values);
  }
  const place = `${topic} ${partition}`;
  for (const { manifest, staged } of life.decided) {
    const { epoch, delivery } = manifest;
    for (const [where, places] of staged) {
      if (!where.startsWith(`${uid} `)) continue;
      const expected = places.get(place) ?? [];
      const inLogs = byEpoch.get(`${where} ${epoch}`) ?? [];
      // A transaction is in one log; what took the place of one that was deleted, in the next.
      const found = delivery === 'at-least-once' ? inLogs : inLogs.filter(({ log }) => log === inLogs.at(-1)?.log);
      const isOut = life.committed.has(`${where} ${epoch} ${place}`) || delivery === 'at-least-once';
      if (isOut && !seen.isExcused(life, where, epoch, place) && expected.join('\n') !== found.map(({ value }) => value).join('\n'))
        seen.fail(
          'I2',
          `${topic}-${partition}: a reader sees ${found.length} records of ${where} in epoch ${epoch}, which are not the ${expected.length} that were staged`,
        );
    }
  }
  return records;
}
