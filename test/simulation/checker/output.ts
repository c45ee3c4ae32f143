import type { Partition } from '../models/partition.ts';
import { DEAD_LETTER_TOPIC, DEAD_LETTERS, shapeOf } from '../sim-job.ts';
import type { Belongs } from './interpreter/epoch.ts';
import { isSentPlain, type Life, sinkOf } from './life.ts';
import { isIn } from './places.ts';
import { readCommitted } from './reader.ts';
import type { Scene } from './scene.ts';
import { differenceOf, multiset } from './texts.ts';
import type { Transactions } from './transactions.ts';
import type { Visibility } from './visibility.ts';

/** A record in a log, with the sink subtask and the epoch that it is of. */
interface Attributed {
  readonly log: Partition;
  readonly offset: number;
  readonly text: string;
  readonly where: string;
  readonly epoch: number;
}

/** Of records that were sent outside a transaction. */
const NO_PRODUCER = '-1/-1';

/** What is known of what is in the logs. */
interface Seen extends Scene {
  readonly transactions: Transactions;
  readonly visibility: Visibility;
}

/**
 * In the end: what a `read_committed` reader was given of the job's topics, from their beginning, is what the job makes of its
 * input (I2), in order (I5). A topic that was made anew has two logs or more, and a reader has read what was in each.
 */
export function checkOutput(scene: Scene, transactions: Transactions, visibility: Visibility): void {
  const seen: Seen = { ...scene, transactions, visibility };
  const sinks = [...shapeOf(scene.job).sinks].flatMap(([uid, topics]) => topics.map((topic) => [uid, topic] as const));
  for (const topic of new Set(sinks.map(([, topic]) => topic))) for (const log of logsOf(scene, topic).flat()) checkOwners(seen, log);
  for (const life of scene.lives) {
    checkSink(seen, life, DEAD_LETTERS, DEAD_LETTER_TOPIC);
    for (const [uid, topic] of sinks) {
      const records = checkSink(seen, life, uid, topic);
      checkKeys(seen, life, uid, records.flat());
      checkFold(seen, life, uid, topic, records);
    }
  }
}

/** Answers what a life wrote to the topic through the sink, by partition. */
function checkSink(seen: Seen, life: Life, uid: string, topic: string): Attributed[][] {
  return logsOf(seen, topic).map((logs) => {
    const records = recordsOf(seen, life, logs).filter(({ where }) => sinkOf(where) === uid);
    checkEpochsRise(seen, records);
    checkStagedIsSeen(seen, life, uid, logs, records);
    return records;
  });
}

/** By partition, every log that it has had, oldest first. */
function logsOf({ broker }: Scene, topic: string): Partition[][] {
  const all = broker.catalog.everyLog().filter((log) => log.topic === topic);
  return [...Map.groupBy(all, ({ partition }) => partition).values()];
}

/** What an incarnation wrote there. */
function recordsOf(seen: Seen, life: Life, logs: readonly Partition[]): Attributed[] {
  const met = new Set<string>();
  return logs.flatMap((log) =>
    readCommitted(log, 0, log.end).flatMap(({ offset, text, producer }): Attributed[] => {
      if (producer !== NO_PRODUCER) {
        const owner = seen.transactions.owners.get(producer);
        return owner?.life === life ? [{ log, offset, text, where: owner.where, epoch: owner.epoch }] : [];
      }
      // What was sent again outside a transaction counts where it came first.
      const isMet = met.has(text) || seen.visibility.plain.get(log)?.get(offset) !== life;
      const from = isMet ? undefined : life.stagedBy(`${log.topic} ${log.partition}`, text);
      if (from !== undefined) met.add(text);
      return from === undefined ? [] : [{ log, offset, text, ...from }];
    }),
  );
}

function checkOwners({ broker, transactions, fail }: Seen, log: Partition): void {
  for (const { offset, producer } of readCommitted(log, 0, log.end)) {
    if (producer === NO_PRODUCER || transactions.owners.has(producer)) continue;
    if (!broker.foreign.has(BigInt(producer.split('/')[0] ?? '')))
      fail('I2', `${log.topic}-${log.partition}, offset ${offset}: a record that no committed transaction of the job wrote`);
  }
}

/** Epochs of one sink subtask follow each other in every log. */
function checkEpochsRise({ fail }: Seen, records: readonly Attributed[]): void {
  const last = new Map<string, number>();
  for (const { log, offset, where, epoch } of records) {
    const previous = last.get(`${where} ${log.id}`) ?? 0;
    if (epoch < previous)
      fail('I5', `${log.topic}-${log.partition}, offset ${offset}: epoch ${epoch} of ${where} comes behind its epoch ${previous}`);
    last.set(`${where} ${log.id}`, epoch);
  }
}

/** What an epoch has staged for a partition lies there, in its order. */
function checkStagedIsSeen(seen: Seen, life: Life, uid: string, logs: readonly Partition[], records: readonly Attributed[]): void {
  const [{ topic = '', partition = -1 } = {}] = logs;
  const place = `${topic} ${partition}`;
  const byEpoch = Map.groupBy(records, ({ where, epoch }) => `${where} ${epoch}`);
  for (const { manifest, staged } of life.decided) {
    const { epoch } = manifest;
    const isPlain = isSentPlain(manifest);
    for (const [where, places] of staged) {
      if (sinkOf(where) !== uid) continue;
      const expected = places.get(place) ?? [];
      const inLogs = byEpoch.get(`${where} ${epoch}`) ?? [];
      // A transaction is in one log; what took the place of one that was deleted, in the next.
      const found = isPlain ? inLogs : inLogs.filter(({ log }) => log === inLogs.at(-1)?.log);
      const isOut = life.committed.has(`${where} ${epoch} ${place}`) || isPlain;
      const isSame = expected.join('\n') === found.map(({ text }) => text).join('\n');
      if (isOut && !isSame && !seen.transactions.isExcused(life, where, epoch, place))
        seen.fail(
          'I2',
          `${topic}-${partition}: a reader sees ${found.length} records of ${where} in epoch ${epoch}, which are not the ${expected.length} that were staged`,
        );
    }
  }
}

/** Records of one key follow each other, epoch by epoch, whichever subtask wrote them. */
function checkKeys(seen: Seen, life: Life, uid: string, records: readonly Attributed[]): void {
  const keys = new Map(life.decided.map(({ manifest, written }) => [manifest.epoch, streamsOf(written.get(uid) ?? [])]));
  const last = new Map<string, number>();
  for (const { log, offset, text, where, epoch } of records) {
    const key = keys.get(epoch)?.get(text);
    if (key === undefined) continue;
    const previous = last.get(`${key} ${log.id}`) ?? 0;
    if (epoch < previous && !seen.transactions.isExcused(life, where, epoch, `${log.topic} ${log.partition}`))
      seen.fail(
        'I5',
        `${log.topic}-${log.partition}, offset ${offset}: ${text} of epoch ${epoch} comes behind epoch ${previous} of its key`,
      );
    last.set(`${key} ${log.id}`, epoch);
  }
}

/** By text: the stream key that a record is of; not where two keys write the same. */
function streamsOf(written: readonly { readonly text: string; readonly belongs: Belongs }[]): ReadonlyMap<string, string | undefined> {
  const streams = new Map<string, string | undefined>();
  for (const { text, belongs } of written) {
    const stream = belongs.by === 'key' ? belongs.stream : undefined;
    streams.set(text, streams.has(text) && streams.get(text) !== stream ? undefined : stream);
  }
  return streams;
}

/** All that a reader was given of a sink, of all epochs. */
function checkFold(seen: Seen, life: Life, uid: string, topic: string, records: readonly (readonly Attributed[])[]): void {
  const expected = multiset(
    life.decided.flatMap(({ written }) => (written.get(uid) ?? []).flatMap((one) => (one.topic === topic ? [one.text] : []))),
  );
  const found = multiset(records.flatMap(onceIn));
  for (const text of excusedIn(seen, life, uid, topic)) {
    const n = expected.get(text);
    if (n !== undefined) found.set(text, n);
  }
  const difference = differenceOf(expected, found);
  if (difference !== undefined)
    seen.fail(
      'I2',
      `what a read_committed reader sees of ${topic} (incarnation ${life.incarnation}) is not what ${uid} makes of the input: ${difference}`,
    );
}

/** What was in a log that was deleted, and is in the next one too because it was sent again, counts once. */
function onceIn(records: readonly Attributed[]): string[] {
  const last = new Map(records.map(({ text, log }) => [text, log] as const));
  return records.flatMap(({ text, log }) => (last.get(text) === log ? [text] : []));
}

function excusedIn({ transactions }: Seen, life: Life, uid: string, topic: string): string[] {
  return life.decided.flatMap(({ manifest, staged }) =>
    [...staged].flatMap(([where, places]) =>
      sinkOf(where) === uid
        ? [...places].flatMap(([place, texts]) =>
            isIn(place, topic) && transactions.isExcused(life, where, manifest.epoch, place) ? texts : [],
          )
        : [],
    ),
  );
}
