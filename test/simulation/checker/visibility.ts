import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import type { EndInPartition } from '../models/kafka-broker.ts';
import type { Partition, StoredBatch } from '../models/partition.ts';
import { DEAD_LETTER_TOPIC, shapeOf } from '../sim-job.ts';
import type { Life } from './life.ts';
import { textsOf } from './reader.ts';
import { lifeOf, type Scene } from './scene.ts';
import type { Owner, Transactions } from './transactions.ts';

/**
 * What readers are given, when they are given it: the staged output of a decided epoch (I2, I4), once (I2), in the order of
 * epochs (I5), and all of it before the epoch counts as COMMITTED or the job is deleted (I2).
 */
export class Visibility {
  /** Of records outside a transaction, by log and offset: the incarnation that sent them. */
  readonly plain = new Map<Partition, Map<number, Life>>();
  /** Records that were sent again outside a transaction. */
  repeated = 0;
  readonly #scene: Scene;
  readonly #transactions: Transactions;
  readonly #topics: ReadonlySet<string>;

  constructor(scene: Scene, transactions: Transactions) {
    this.#scene = scene;
    this.#transactions = transactions;
    this.#topics = new Set([DEAD_LETTER_TOPIC, ...[...shapeOf(scene.job).sinks.values()].flat()]);
  }

  /** A transaction ends in one partition: what it holds there becomes visible, or never does. */
  takeEnd({ partition, producerId, commit, batches }: EndInPartition): void {
    if (!commit || batches.length === 0 || this.#scene.broker.foreign.has(producerId)) return;
    const place = `${partition.topic} ${partition.partition}`;
    const who = [...new Set(batches.map((batch) => `${batch.producerId}/${batch.producerEpoch}`))];
    const named = who.map((producer) => this.#transactions.owners.get(producer));
    const [owner] = named;
    if (owner === undefined || named.length > 1)
      return this.#scene.fail(
        'I4',
        `${place}: records of ${who.join(', ')} were committed together, and a decision names not each of them`,
      );
    if (!this.#isInTurn(owner, partition, place)) return;
    const { life, where, epoch } = owner;
    life.committed.set(`${where} ${epoch} ${place}`, { log: partition, last: batches.at(-1)?.lastOffset ?? -1 });
    const found = batches.flatMap(textsOf);
    const expected = life.epoch(epoch)?.staged.get(where)?.get(place) ?? [];
    if (expected.join('\n') !== found.join('\n'))
      this.#scene.fail(
        'I2',
        `${where}, epoch ${epoch}, ${place}: ${found.length} records were committed that are not the ${expected.length} of the staged output`,
      );
  }

  /** Once, while its incarnation lasts, and behind the epochs before it. */
  #isInTurn({ life, where, epoch }: Owner, log: Partition, place: string): boolean {
    const { fail } = this.#scene;
    const key = `${where} ${epoch} ${place}`;
    const before = life.committed.get(key);
    const isGone = before !== undefined && (before.log.isDeleted || before.log.logStart > before.last);
    if (isGone && this.#transactions.word() === 'lost') life.excused.add(key);
    if (before?.log.isDeleted === false && !life.excused.has(key)) {
      fail('I2', `${place}: the output of ${where} in epoch ${epoch} was committed twice`);
      return false;
    }
    if (life.over) fail('I2', `${place}: the output of ${where} in epoch ${epoch} was committed after its incarnation was deleted`);
    const inLog = life.lastCommitted.get(log) ?? new Map<string, number>();
    const previous = inLog.get(where) ?? 0;
    if (previous > epoch || (previous === epoch && !life.excused.has(key)))
      fail('I5', `${place}: epoch ${epoch} of ${where} was committed after epoch ${previous}`);
    life.lastCommitted.set(log, inLog.set(where, epoch));
    return true;
  }

  /** What is sent outside a transaction is the staged output of an epoch that was decided so. */
  takePlain(log: Partition, batch: StoredBatch): void {
    const { topic, partition } = log;
    if (!this.#topics.has(topic)) return;
    const place = `${topic} ${partition}`;
    for (const [index, text] of textsOf(batch).entries()) {
      const life = this.#scene.lives.findLast((each) => each.stagedBy(place, text) !== undefined);
      if (life === undefined) {
        this.#scene.fail('I4', `${place}: ${text} was sent, and no epoch that was decided at least once has staged it`);
        continue;
      }
      this.plain.set(log, (this.plain.get(log) ?? new Map<number, Life>()).set(batch.baseOffset + index, life));
      if (life.sent.has(`${place} ${text}`)) this.repeated++;
      life.sent.add(`${place} ${text}`);
    }
  }

  /** What counts as COMMITTED is out. */
  takeCommitted(row: JobRow, epoch: number): void {
    const life = lifeOf(this.#scene, row.incarnation);
    if (life === undefined) return;
    for (const decided of life.decided) {
      const { manifest } = decided;
      if (manifest.epoch > epoch) continue;
      const [unsent] = life.unsent(decided);
      if (unsent !== undefined)
        this.#scene.fail(
          'I2',
          `epoch ${epoch} is recorded as COMMITTED by generation ${row.generation}, and ${unsent} of epoch ${manifest.epoch} was not sent`,
        );
      if (this.#transactions.word() === 'committed') this.#transactions.giveUp(life, decided);
      const [lost] = this.#transactions.uncommittedOf(life, decided);
      if (lost !== undefined)
        this.#scene.fail(
          'I2',
          `epoch ${manifest.epoch} is recorded as COMMITTED by generation ${row.generation}, and output of ${lost} was not committed: it is lost`,
        );
    }
  }

  /** The job was deleted: what it had decided must be out by then. */
  takeForgotten(incarnation: string): void {
    const life = lifeOf(this.#scene, incarnation);
    if (life === undefined) return;
    life.over = true;
    const open = this.#transactions.uncommitted(life);
    if (open.length > 0)
      this.#scene.fail('I2', `incarnation ${incarnation} was deleted, and its output is lost that was decided: ${open.join(', ')}`);
  }
}
