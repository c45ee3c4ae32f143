import type { JobRow, SentAgain } from '../../../lib/ports/epoch-store.ts';
import type { Committable } from '../../../lib/protocol/committable.ts';
import type { OnMissingEvidence } from '../../../lib/protocol/requests.ts';
import { CONNECTOR, kafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import type { Partition, StoredBatch } from '../models/partition.ts';
import { JOB } from '../sim-job.ts';
import { openEnvelope } from './blobs.ts';
import type { Contents } from './contents.ts';
import { type DecidedEpoch, type Life, whereOf } from './life.ts';
import { lifeOf, type Scene } from './scene.ts';

/** Whose transaction it was. */
export interface Owner {
  readonly life: Life;
  readonly where: string;
  readonly epoch: number;
}

/** The transactions that decisions name, and what somebody's word says of those whose evidence is gone. */
export class Transactions {
  /** By coordinator: what it was told about missing evidence. */
  readonly words = new Map<string, OnMissingEvidence>();
  /** By producer id and epoch. */
  readonly owners = new Map<string, Owner>();
  readonly #scene: Scene;
  readonly #contents: Contents;

  constructor(scene: Scene, contents: Contents) {
    this.#scene = scene;
    this.#contents = contents;
  }

  /** What becomes visible may have been written by the transactions that decisions name. */
  name(life: Life, committable: Committable): void {
    if (committable.connector !== CONNECTOR) return;
    const transaction = kafkaCommittable(committable);
    const { producerId, producerEpoch, epoch } = transaction;
    const where = whereOf(committable);
    this.owners.set(`${producerId}/${producerEpoch}`, { life, where, epoch });
    const key = `${where} ${epoch}`;
    life.transactions.set(key, [...(life.transactions.get(key) ?? []), transaction]);
  }

  /** Transactions that take the place of others in a decided epoch: a decision of its own. */
  takeSentAgain(row: JobRow, { decisionId, committables }: SentAgain): void {
    const life = lifeOf(this.#scene, row.incarnation);
    if (life === undefined || life.decided.at(-1)?.manifest.decisionId !== decisionId)
      return this.#scene.fail('I1', `output of decision ${decisionId} is recorded as sent again, and it is not the last decision`);
    const list = committables.at === 'row' ? committables.list : this.#storedList(committables.name);
    const isGivenUp = this.word() === 'lost';
    for (const committable of list) {
      this.name(life, committable);
      if (isGivenUp && committable.connector === CONNECTOR) this.#excuseGone(life, committable);
    }
  }

  /** What the log does not hold any more was given up by the word under which it is sent again, whoever commits that. */
  #excuseGone(life: Life, committable: Committable): void {
    for (const { topic, partition } of kafkaCommittable(committable).written) {
      const key = `${whereOf(committable)} ${committable.epoch} ${topic} ${partition}`;
      const before = life.committed.get(key);
      if (before !== undefined && (before.log.isDeleted || before.log.logStart > before.last)) life.excused.add(key);
    }
  }

  #storedList(name: string): readonly Committable[] {
    return JSON.parse(openEnvelope('manifest', this.#contents.blob(name)).toString('utf8')) as readonly Committable[];
  }

  /** What somebody sees who looks for an epoch's output at these places of one transaction: which of it was committed. */
  lookFor(incarnation: string, epoch: number, transactionalId: string, places: readonly string[]): readonly boolean[] | undefined {
    const life = lifeOf(this.#scene, incarnation);
    const where = life === undefined ? undefined : whereIn(life, epoch, transactionalId);
    if (life === undefined || where === undefined) return undefined;
    return places.map((place) => life.committed.has(`${where} ${epoch} ${place}`));
  }

  /** Somebody has to say one thing of places of which some were committed and some were not: then that one is not the job's fault. */
  excuse(incarnation: string, epoch: number, transactionalId: string, place: string): void {
    const life = lifeOf(this.#scene, incarnation);
    if (life !== undefined) life.excused.add(`${whereIn(life, epoch, transactionalId)} ${epoch} ${place}`);
  }

  /** Somebody deleted the log with what the job had written to it there: that is not its loss. */
  isExcused(life: Life, where: string, epoch: number, place: string): boolean {
    const log = this.#logOf(life, where, epoch, place);
    return log?.isDeleted === true || life.excused.has(`${where} ${epoch} ${place}`);
  }

  /** What the coordinator that holds the job was told that output counts as, of which the log says nothing any more. */
  word(): OnMissingEvidence {
    return this.words.get(this.#scene.table.row(JOB)?.holder ?? '') ?? 'stop';
  }

  /** Where the log does not reach back to what the newest transaction wrote, its word has given up what was not committed. */
  giveUp(life: Life, decided: DecidedEpoch): void {
    const { epoch } = decided.manifest;
    for (const { where, place } of life.uncommittedOf(decided)) {
      const written = newestAt(life, where, epoch, place)?.range;
      const log = this.#logOf(life, where, epoch, place);
      if (written !== undefined && log !== undefined && log.logStart > written.last) life.excused.add(`${where} ${epoch} ${place}`);
    }
  }

  /** What was decided and is not out, and could be. */
  uncommitted(life: Life): string[] {
    return life.decided.flatMap((decided) => [
      ...this.uncommittedOf(life, decided).map((place) => `${place} of epoch ${decided.manifest.epoch}`),
      ...life.missing(decided).map((what) => `${what} of epoch ${decided.manifest.epoch}, which is not out`),
      ...life.unsent(decided).map((text) => `${text} of epoch ${decided.manifest.epoch}, which was not sent`),
    ]);
  }

  uncommittedOf(life: Life, decided: DecidedEpoch): string[] {
    return life
      .uncommittedOf(decided)
      .filter(({ where, place }) => !this.isExcused(life, where, decided.manifest.epoch, place))
      .map(({ where, place }) => `${where} in ${place}`);
  }

  /** The log that holds what the newest transaction of an epoch has written there. */
  #logOf(life: Life, where: string, epoch: number, place: string): Partition | undefined {
    const { newest, range } = newestAt(life, where, epoch, place) ?? {};
    if (newest === undefined || range === undefined) return undefined;
    const isOwn = (batch: StoredBatch) =>
      batch.baseOffset === range.first && String(batch.producerId) === newest.producerId && batch.producerEpoch === newest.producerEpoch;
    return this.#scene.broker.catalog.everyLog().find((log) => `${log.topic} ${log.partition}` === place && log.batches.some(isOwn));
  }
}

/** The newest transaction of an epoch that has written there, and what. */
function newestAt(life: Life, where: string, epoch: number, place: string) {
  const isThere = ({ topic, partition }: { readonly topic: string; readonly partition: number }) => `${topic} ${partition}` === place;
  const newest = life.transactions.get(`${where} ${epoch}`)?.findLast(({ written }) => written.some(isThere));
  const range = newest?.written.find(isThere);
  return newest === undefined || range === undefined ? undefined : { newest, range };
}

/** The sink and subtask that had this transaction in an epoch. */
function whereIn(life: Life, epoch: number, transactionalId: string): string | undefined {
  const all = [...life.transactions.values()].flat();
  const found = all.find((committable) => committable.epoch === epoch && committable.transactionalId === transactionalId);
  return found === undefined ? undefined : whereOf(found);
}
