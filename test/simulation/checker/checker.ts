import type { StartingOffsets } from '../../../lib/config/starting-offsets.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/events.ts';
import type { Committable, Manifest } from '../../../lib/format/manifest.ts';
import type { Decision, JobRow, SentAgain } from '../../../lib/ports/epoch-store.ts';
import type { OnMissingEvidence } from '../../../lib/transactions/resolve.ts';
import { DEAD_LETTER_TOPIC, JOB, type SimJob } from '../jobs.ts';
import type { BlobBucket } from '../models/blob-bucket.ts';
import type { EpochTable } from '../models/epoch-table.ts';
import type { Broker, EndInPartition } from '../models/kafka-broker.ts';
import type { Partition, StoredBatch } from '../models/partition.ts';
import type { FaultyUserCode } from '../user-code.ts';
import { openEnvelope } from './blobs.ts';
import { blobsOf, Contents, type DeadLetter, own } from './contents.ts';
import { count, differenceOf, multiset, range } from './counting.ts';
import { type DecidedEpoch, Life, whereOf } from './life.ts';
import { checkOutput } from './output.ts';
import { readCommitted, valuesOf } from './reader.ts';

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7';

export interface Violation {
  readonly invariant: Invariant;
  readonly message: string;
}

/** Which lines may be left out, and where they go. */
export interface PoisonRule {
  readonly code: FaultyUserCode;
  /** Failures in a row of one record alone. */
  readonly attempts: number;
}

/**
 * Watches what becomes irrevocable (decisions, commits, deletions) and what a reader of the logs sees, and holds it
 * against the invariants of docs/ (I1 to I7). It shares no code with the engine.
 */
export class Checker {
  readonly violations: Violation[] = [];
  /** By coordinator: what it was told about missing evidence. */
  readonly words = new Map<string, OnMissingEvidence>();
  /** Of records outside a transaction, by log and offset: the incarnation that sent them. */
  readonly #plain = new Map<Partition, Map<number, Life>>();
  /** What was said last, by generation, epoch, topic and partition. */
  readonly #gaps = new Map<string, Extract<CoordinatorEvent, { event: 'data-loss' }>>();
  /** Records that were sent again outside a transaction. */
  repeated = 0;
  readonly #job: SimJob;
  readonly #poison: PoisonRule | undefined;
  readonly #startsAt: StartingOffsets;
  readonly #strands: boolean;
  readonly #broker: Broker;
  readonly #table: EpochTable;
  readonly #bucket: BlobBucket;
  readonly #contents: Contents;
  /** In the order in which they began. */
  readonly #lives: Life[] = [];
  /** By producer id and epoch: whose transaction it was. */
  readonly #producers = new Map<string, { readonly life: Life; readonly where: string; readonly epoch: number }>();

  constructor(
    job: SimJob,
    startsAt: StartingOffsets,
    broker: Broker,
    table: EpochTable,
    bucket: BlobBucket,
    poison?: PoisonRule,
    strands = false,
  ) {
    this.#strands = strands;
    this.#job = job;
    this.#startsAt = startsAt;
    this.#poison = poison;
    this.#broker = broker;
    this.#table = table;
    this.#bucket = bucket;
    this.#contents = new Contents(bucket, (invariant, message) => this.fail(invariant, message));
    broker.onEnd = (end) => this.#takeEnd(end);
    broker.onPlain = (partition, values) => this.#takePlain(partition, values);
    table.observer = {
      decided: (decision) => this.#takeDecision(decision),
      committed: (row, epoch) => this.#takeCommitted(row, epoch),
      sentAgain: (row, sentAgain) => this.#takeSentAgain(row, sentAgain),
      written: (row, by) => {
        if (by.incarnation !== undefined && by.incarnation !== row.incarnation)
          this.fail('I1', `generation ${by.generation} of incarnation ${by.incarnation} has written to the row of ${row.incarnation}`);
      },
      forgotten: (incarnation) => this.#takeForgotten(incarnation),
      epochsDeleted: (incarnation) => {
        if (this.#lives.some((life) => life.incarnation === incarnation && !life.over))
          this.fail('I7', `the epochs of incarnation ${incarnation} were deleted, and the job goes on from them`);
      },
    };
    bucket.onDelete = (name) => this.#takeDelete(name);
    bucket.onMissing = (name) => {
      if (this.#liveNames().has(name)) this.fail('I7', `blob ${name}, which a live manifest names, is missing`);
    };
  }

  /** Epochs decided, the starting offsets' included. */
  get epochs(): number {
    return this.#lives.reduce((sum, { decided }) => sum + decided.length, 0);
  }

  /** Manifests that were too large for a row. */
  get manifestsInBlobs(): number {
    return this.#lives.flatMap(({ decided }) => decided).filter(({ blob }) => blob !== undefined).length;
  }

  /** Incarnations in which something was decided. */
  get lives(): number {
    return this.#lives.length;
  }

  fail(invariant: Invariant, message: string): void {
    this.violations.push({ invariant, message });
  }

  /** Has everything that `sources` have been read, decided and committed, and is every log readable to its end? */
  caughtUp(sources: readonly string[]): boolean {
    return this.#life()?.over === false && this.#unfinished(sources) === undefined;
  }

  /** The last incarnation in which something was decided. */
  #life(): Life | undefined {
    return this.#lives.at(-1);
  }

  #unfinished(sources: readonly string[]): string | undefined {
    const life = this.#life();
    const last = life?.decided.at(-1)?.manifest;
    if (life === undefined || last === undefined) return 'nothing was decided';
    // A job that was deleted has no more to do.
    for (const uid of life.over ? [] : sources) {
      const topic = this.#job.sources[uid] ?? '';
      const id = own(own(last.topicIds, uid), topic);
      if (!this.#broker.topics.has(topic)) return `${topic} is not there at the moment`;
      for (const { partition, end } of this.#broker.topics.get(topic) ?? []) {
        const offset = own(own(last.offsets, uid), topic)?.[partition] ?? 0;
        if (offset > 0 && end > 0 && id !== this.#broker.catalog.idOf(topic)) return `${uid} has not seen that ${topic} was made anew`;
        if (offset < end) return `${uid} has read partition ${partition} of ${topic} to ${offset} of ${end}`;
      }
    }
    const open = this.#uncommitted(life);
    if (open.length > 0) return `what was decided is not committed: ${open.join(', ')}`;
    for (const partitions of this.#broker.topics.values()) {
      for (const { topic, partition, lastStableOffset, end } of partitions)
        if (lastStableOffset < end && !this.#isStranded(topic, partition))
          return `the last stable offset of ${topic}-${partition} is ${lastStableOffset} of ${end}`;
    }
    return undefined;
  }

  /** After faults have stopped and the job has been given its time. */
  checkEnd(sources: readonly string[]): void {
    const unfinished = this.#unfinished(sources);
    if (unfinished !== undefined) this.fail('I6', unfinished);
    const open = this.#broker.openTransactions();
    if (open.length > 0) this.fail('I6', `open transactions remain: ${open.join(', ')}`);
    for (const name of this.#liveNames())
      if (!this.#bucket.blobs.has(name)) this.fail('I7', `blob ${name}, which a live manifest names, is gone`);
    checkOutput({
      job: this.#job,
      broker: this.#broker,
      lives: this.#lives,
      producers: this.#producers,
      plain: this.#plain,
      isExcused: (life, where, epoch, place) => this.#isExcused(life, where, epoch, place),
      fail: (invariant, message) => this.fail(invariant, message),
    });
  }

  /** Is what holds up its readers nothing that a client could end? */
  #isStranded(topic: string, partition: number): boolean {
    const stranded = this.#broker.stranded().filter((one) => one.topic === topic && one.partition === partition);
    return this.#strands && stranded.length > 0 && stranded.length === this.#broker.partition(topic, partition)?.open.size;
  }

  /** In the end: readers that stall for good do not stall unnoticed. */
  checkSaid(events: readonly CoordinatorEvent[]): void {
    const said = events.flatMap((event) => ('message' in event ? [event.message] : []));
    for (const { topic, partition, producerId } of this.#broker.stranded())
      if (!said.some((text) => text.includes(`${topic}-${partition}`) && text.includes(String(producerId))))
        this.fail(
          'I6',
          `readers of ${topic}-${partition} wait for a transaction of producer ${producerId}, which no client can end, and nobody said it`,
        );
  }

  #takeDecision(decision: Decision): void {
    const { incarnation, epoch, decisionId, parentDecisionId } = decision;
    const life = this.#lives.find((each) => each.incarnation === incarnation) ?? new Life(incarnation);
    if (!this.#lives.includes(life)) this.#lives.push(life);
    if (life.over || life !== this.#life())
      return this.fail('I1', `epoch ${epoch} of incarnation ${incarnation} was decided, which had been deleted`);
    const parent = life.decided.at(-1)?.manifest;
    if (life.decided.some(({ manifest }) => manifest.epoch === epoch)) return this.fail('I1', `epoch ${epoch} was decided twice`);
    if (epoch !== (parent?.epoch ?? -1) + 1 || parentDecisionId !== parent?.decisionId)
      return this.fail(
        'I1',
        `epoch ${epoch} was decided on ${parentDecisionId}, and the last decided is epoch ${parent?.epoch} (${parent?.decisionId})`,
      );
    const text =
      decision.manifest.at === 'row'
        ? JSON.stringify(decision.manifest.manifest)
        : openEnvelope('manifest', this.#contents.blob(decision.manifest.name)).toString('utf8');
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.decisionId !== decisionId) return this.fail('I1', `epoch ${epoch}: the manifest is of another decision`);
    try {
      const staged = this.#contents.stagedOf(manifest);
      life.decided.push({ manifest, text, blob: decision.manifest.at === 'blob' ? decision.manifest.name : undefined, staged });
      for (const committable of manifest.committables) this.#nameProducer(life, committable);
      this.#checkFold(life, manifest, parent, staged);
    } catch (error) {
      this.fail(
        'I7',
        `epoch ${epoch} was decided with blobs that cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  #checkFold(life: Life, manifest: Manifest, parent: Manifest | undefined, staged: DecidedEpoch['staged']): void {
    const { epoch } = manifest;
    const left = this.#contents.leftOut(manifest);
    const lines = new Map(
      Object.entries(this.#job.sources).map(([uid, topic]) => [uid, this.#linesOf(manifest, parent, uid, topic, left)]),
    );
    for (const place of left.keys()) this.fail('I2', `epoch ${epoch} leaves out the record at ${place}, which is not of its input`);
    for (const [uid, { from, of }] of Object.entries(this.#job.counters)) {
      const fold = count(life.fold, uid, (lines.get(from) ?? []).flatMap(of));
      const state = this.#contents.stateOf(manifest, uid);
      const difference = differenceOf(fold, state);
      if (difference !== undefined) this.fail('I3', `state of ${uid} after epoch ${epoch}: ${difference}`);
    }
    for (const [uid, { from, writes, of }] of Object.entries(this.#job.sinks)) {
      const keys = (lines.get(from) ?? []).flatMap(of);
      const before = new Map(life.written.get(uid));
      const after = count(life.written, uid, keys);
      const expected =
        writes === 'lines' ? keys : [...after].flatMap(([key, n]) => range(before.get(key) ?? 0, n).map((at) => `${key}:::${at}`));
      const found = [...staged].flatMap(([where, byPartition]) => (where.startsWith(`${uid} `) ? [...byPartition.values()].flat() : []));
      const difference = differenceOf(multiset(expected), multiset(found));
      if (difference !== undefined) this.fail('I2', `staged output of ${uid} in epoch ${epoch}: ${difference}`);
    }
  }

  #checkLetter({ value, headers }: DeadLetter, line: string, topic: string, epoch: number): void {
    if (value !== line) this.fail('I2', `the dead letter of "${line}" is "${value}"`);
    if (headers['onceflow.topic'] !== topic || headers['onceflow.epoch'] !== String(epoch) || headers['onceflow.job'] !== JOB)
      this.fail('I2', `the dead letter of "${line}" in epoch ${epoch} says ${JSON.stringify(headers)}`);
    if (this.#poison?.code.isPoison(line, this.#poison.attempts) !== true)
      this.fail('I2', `epoch ${epoch} leaves out "${line}", which has not failed so often that it may be`);
  }

  /** The committed lines of one source in an epoch, from where the epoch before ended to where this one did, but those left out. */
  #linesOf(manifest: Manifest, parent: Manifest | undefined, uid: string, topic: string, left: Map<string, DeadLetter>): string[] {
    const { epoch } = manifest;
    const known = own(own(parent?.offsets, uid), topic);
    const [knownId, id] = [parent, manifest].map((of) => own(own(of?.topicIds, uid), topic));
    const lines: string[] = [];
    for (const partition of this.#broker.catalog.logsOf(topic, id)) {
      const where = `partition ${partition.partition} of ${topic}`;
      const to = own(own(manifest.offsets, uid), topic)?.[partition.partition] ?? 0;
      // What a source starts from is not input of the job.
      const from = known === undefined ? to : this.#beginOf(manifest, partition, known[partition.partition] ?? 0, knownId);
      if (known === undefined && this.#startsAt === 'earliest' && !partition.starts.includes(to))
        this.fail('I3', `${uid} starts at offset ${to} of ${where} in epoch ${epoch}, and was to start at the first`);
      if (to < from) this.fail('I3', `epoch ${epoch} goes back in ${where}: from ${from} to ${to}`);
      if (to > partition.stableEnd)
        this.fail('I3', `epoch ${epoch} read ${where} to ${to}, beyond its last stable offset ${partition.stableEnd}`);
      for (const { value, offset } of readCommitted(partition, from, to)) {
        const place = `${topic} ${partition.partition} ${offset}`;
        const letter = left.get(place);
        left.delete(place);
        if (letter === undefined) lines.push(value);
        else this.#checkLetter(letter, value, topic, epoch);
      }
    }
    return lines;
  }

  /** Input that was deleted before it was read: an epoch begins behind it only if that was said, and is so. */
  #beginOf({ epoch }: Manifest, log: Partition, known: number, knownId: string | undefined): number {
    const { generation } = this.#table.row(JOB) ?? {};
    const said = this.#gaps.get(`${generation} ${epoch} ${log.topic} ${log.partition}`);
    const isAnother = knownId !== undefined && knownId !== log.topicId && known > 0;
    if (
      isAnother &&
      (said?.ids?.read !== knownId || said.ids.found !== log.topicId || said.from !== known || !log.starts.includes(said.to))
    ) {
      this.fail('I3', `epoch ${epoch} takes offset ${known} of ${log.topic}-${log.partition} as ${knownId} for one of ${log.topicId}`);
      return known;
    }
    if (isAnother && said !== undefined) return said.to;
    if (said === undefined || said.from !== known) return known;
    const isTrue = log.starts.includes(said.to) && said.from < said.to && said.count === said.to - said.from;
    if (!isTrue)
      this.fail('I3', `epoch ${epoch} leaves out ${said.from} to ${said.to} of ${log.topic}-${log.partition}, which were not deleted`);
    return said.to;
  }

  /** A coordinator says what input its next epoch leaves out. */
  takeDataLoss(generation: number, gap: Extract<CoordinatorEvent, { event: 'data-loss' }>): void {
    this.#gaps.set(`${generation} ${gap.epoch} ${gap.topic} ${gap.partition}`, gap);
  }

  /** By whom what becomes visible may have been written: the transactions that decisions name. */
  #nameProducer(life: Life, committable: Committable): void {
    const { producerId, producerEpoch, epoch } = committable;
    const where = whereOf(committable);
    this.#producers.set(`${producerId}/${producerEpoch}`, { life, where, epoch });
    const key = `${where} ${epoch}`;
    life.transactions.set(key, [...(life.transactions.get(key) ?? []), committable]);
  }

  /** What somebody sees who looks for an epoch's output at these places of one transaction: which of it was committed. */
  lookFor(incarnation: string, epoch: number, transactionalId: string, places: readonly string[]): readonly boolean[] | undefined {
    const life = this.#lives.find((one) => one.incarnation === incarnation);
    const where = life === undefined ? undefined : whereIn(life, epoch, transactionalId);
    if (life === undefined || where === undefined) return undefined;
    return places.map((place) => life.committed.has(`${where} ${epoch} ${place}`));
  }

  /** Somebody has to say one thing of places of which some were committed and some were not: then that one is not the job's fault. */
  excuse(incarnation: string, epoch: number, transactionalId: string, place: string): void {
    const life = this.#lives.find((one) => one.incarnation === incarnation);
    if (life !== undefined) life.excused.add(`${whereIn(life, epoch, transactionalId)} ${epoch} ${place}`);
  }

  /** What was decided and is not out, and could be. */
  #uncommitted(life: Life): string[] {
    return life.decided.flatMap((decided) => [
      ...this.#uncommittedOf(life, decided).map((place) => `${place} of epoch ${decided.manifest.epoch}`),
      ...life.unsent(decided).map((value) => `${value} of epoch ${decided.manifest.epoch}, which was not sent`),
    ]);
  }

  #uncommittedOf(life: Life, decided: DecidedEpoch): string[] {
    return life
      .uncommittedOf(decided)
      .filter(({ where, place }) => !this.#isExcused(life, where, decided.manifest.epoch, place))
      .map(({ where, place }) => `${where} in ${place}`);
  }

  /** Somebody deleted the log with what the job had written to it there: that is not its loss. */
  #isExcused(life: Life, where: string, epoch: number, place: string): boolean {
    const log = this.#logOf(life, where, epoch, place);
    return log?.isDeleted === true || life.excused.has(`${where} ${epoch} ${place}`);
  }

  /** What the coordinator that holds the job was told that output counts as, of which the log says nothing any more. */
  #word(): OnMissingEvidence {
    return this.words.get(this.#table.row(JOB)?.holder ?? '') ?? 'stop';
  }

  /** Where the log does not reach back to what the newest transaction wrote, its word has given up what was not committed. */
  #giveUp(life: Life, decided: DecidedEpoch): void {
    const { epoch } = decided.manifest;
    for (const { where, place } of life.uncommittedOf(decided)) {
      const written = newestAt(life, where, epoch, place)?.range;
      const log = this.#logOf(life, where, epoch, place);
      if (written !== undefined && log !== undefined && log.logStart > written.last) life.excused.add(`${where} ${epoch} ${place}`);
    }
  }

  /** The log that holds what the newest transaction of an epoch has written there. */
  #logOf(life: Life, where: string, epoch: number, place: string): Partition | undefined {
    const { newest, range } = newestAt(life, where, epoch, place) ?? {};
    if (newest === undefined || range === undefined) return undefined;
    const isOwn = (batch: StoredBatch) =>
      batch.baseOffset === range.first && String(batch.producerId) === newest.producerId && batch.producerEpoch === newest.producerEpoch;
    return this.#broker.catalog.everyLog().find((log) => `${log.topic} ${log.partition}` === place && log.batches.some(isOwn));
  }

  /** Transactions that take the place of others in a decided epoch: a decision of its own. */
  #takeSentAgain(row: JobRow, { decisionId, committables }: SentAgain): void {
    const life = this.#lives.find(({ incarnation }) => incarnation === row.incarnation);
    const decided = life?.decided.at(-1);
    if (life === undefined || decided?.manifest.decisionId !== decisionId)
      return this.fail('I1', `output of decision ${decisionId} is recorded as sent again, and it is not the last decision`);
    const list = committables.at === 'row' ? committables.list : this.#storedList(committables.name);
    for (const committable of list) this.#nameProducer(life, committable);
  }

  #storedList(name: string): readonly Committable[] {
    return JSON.parse(openEnvelope('manifest', this.#contents.blob(name)).toString('utf8')) as readonly Committable[];
  }

  /** A transaction ends in one partition: what it holds there becomes visible, or never does. */
  #takeEnd({ partition, producerId, commit, batches }: EndInPartition): void {
    if (!commit || batches.length === 0 || this.#broker.foreign.has(producerId)) return;
    const place = `${partition.topic} ${partition.partition}`;
    const who = [...new Set(batches.map((batch) => `${batch.producerId}/${batch.producerEpoch}`))];
    const named = who.map((producer) => this.#producers.get(producer));
    const [owner] = named;
    if (owner === undefined || named.length > 1)
      return this.fail('I4', `${place}: records of ${who.join(', ')} were committed together, and a decision names not each of them`);
    const { life, where, epoch } = owner;
    const key = `${where} ${epoch} ${place}`;
    const before = life.committed.get(key);
    const isGone = before !== undefined && (before.log.isDeleted || before.log.logStart > before.last);
    if (isGone && this.#word() === 'lost') life.excused.add(key);
    if (before?.log.isDeleted === false && !life.excused.has(key))
      return this.fail('I2', `${place}: the output of ${where} in epoch ${epoch} was committed twice`);
    if (life.over) this.fail('I2', `${place}: the output of ${where} in epoch ${epoch} was committed after its incarnation was deleted`);
    const inLog = life.lastCommitted.get(partition) ?? new Map<string, number>();
    const previous = inLog.get(where) ?? 0;
    if (previous > epoch || (previous === epoch && !life.excused.has(key)))
      this.fail('I5', `${place}: epoch ${epoch} of ${where} was committed after epoch ${previous}`);
    life.committed.set(key, { log: partition, last: batches.at(-1)?.lastOffset ?? -1 });
    life.lastCommitted.set(partition, inLog.set(where, epoch));
    const found = batches.flatMap(valuesOf);
    const expected =
      life.decided
        .find(({ manifest }) => manifest.epoch === epoch)
        ?.staged.get(where)
        ?.get(place) ?? [];
    if (expected.join('\n') !== found.join('\n'))
      this.fail(
        'I2',
        `${where}, epoch ${epoch}, ${place}: ${found.length} records were committed that are not the ${expected.length} of the staged output`,
      );
  }

  /** What is sent outside a transaction is the staged output of an epoch that was decided so. */
  #takePlain(log: Partition, values: readonly string[]): void {
    const { topic, partition, end } = log;
    const written = [DEAD_LETTER_TOPIC, ...Object.values(this.#job.sinks).map((sink) => sink.topic)];
    if (!written.includes(topic)) return;
    const place = `${topic} ${partition}`;
    for (const [index, value] of values.entries()) {
      const life = this.#lives.findLast((each) => each.stagedBy(place, value) !== undefined);
      if (life !== undefined)
        this.#plain.set(log, (this.#plain.get(log) ?? new Map<number, Life>()).set(end - values.length + index, life));
      if (life === undefined) this.fail('I4', `${place}: ${value} was sent, and no epoch that was decided at least once has staged it`);
      else if (life.sent.has(`${place} ${value}`)) this.repeated++;
      life?.sent.add(`${place} ${value}`);
    }
  }

  #takeCommitted(row: JobRow, epoch: number): void {
    const life = this.#lives.find(({ incarnation }) => incarnation === row.incarnation);
    for (const decided of life?.decided ?? []) {
      const { manifest } = decided;
      if (manifest.epoch > epoch) continue;
      const [unsent] = life?.unsent(decided) ?? [];
      if (unsent !== undefined)
        this.fail(
          'I2',
          `epoch ${epoch} is recorded as COMMITTED by generation ${row.generation}, and ${unsent} of epoch ${manifest.epoch} was not sent`,
        );
      if (life !== undefined && this.#word() === 'committed') this.#giveUp(life, decided);
      const [lost] = life === undefined ? [] : this.#uncommittedOf(life, decided);
      if (lost !== undefined)
        this.fail(
          'I2',
          `epoch ${manifest.epoch} is recorded as COMMITTED by generation ${row.generation}, and output of ${lost} was not committed: it is lost`,
        );
    }
  }

  /** The job was deleted: what it had decided must be out by then. */
  #takeForgotten(incarnation: string): void {
    const life = this.#lives.find((each) => each.incarnation === incarnation);
    if (life === undefined) return;
    life.over = true;
    const open = this.#uncommitted(life);
    if (open.length > 0)
      this.fail('I2', `incarnation ${incarnation} was deleted, and its output is lost that was decided: ${open.join(', ')}`);
  }

  /** After somebody brought the job to rest: nothing that was decided may wait for a commit. */
  checkAtRest(after: string): void {
    const life = this.#life();
    const open = life === undefined ? [] : this.#uncommitted(life);
    if (open.length > 0) this.fail('I6', `${after} left uncommitted what was decided: ${open.join(', ')}`);
  }

  #takeDelete(name: string): void {
    const row = this.#table.row(JOB);
    if (this.#liveNames().has(name)) return this.fail('I7', `blob ${name} was deleted, and a live manifest names it`);
    // Nothing of a deleted job, or of an earlier one of its name, is needed.
    if (name.split('/')[1] !== row?.incarnation) return;
    const epoch = Number(/-(\d{12})-[0-9a-f]+$/.exec(name)?.[1] ?? -1);
    const passing = /\/(exchange|output)\//.test(name);
    const limit = (passing ? row?.lastCommitted : row?.lastCompleted?.epoch) ?? -1;
    if (epoch > limit)
      this.fail(
        'I7',
        `blob ${name} was deleted while epoch ${limit} was the last that is ${passing ? 'COMMITTED' : 'COMPLETED'}: an attempt may need it`,
      );
  }

  #liveNames(): Set<string> {
    const row = this.#table.row(JOB);
    const live = new Set<string>();
    const life = this.#lives.find(({ incarnation, over }) => incarnation === row?.incarnation && !over);
    for (const { manifest, blob } of life?.decided ?? []) {
      if (row === undefined || manifest.epoch <= row.retiredThrough) continue;
      if (blob !== undefined) live.add(blob);
      for (const ref of blobsOf(manifest, manifest.epoch > row.lastCommitted)) if (ref.at === 'store') live.add(ref.name);
    }
    return live;
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
