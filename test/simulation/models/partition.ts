import { type LeaderMove, type LogView, Replication } from './replication.ts';

/** Leaders are dealt out among so many. */
export const BROKERS = 2;

export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly bytes: Buffer;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly transactional: boolean;
  readonly control: 'commit' | 'abort' | undefined;
}

interface ProducerState {
  epoch: number;
  lastSequence: number;
  /** The last batches, by which repetitions are known. */
  recent: { readonly first: number; readonly last: number; readonly baseOffset: number }[];
}

/** The log of a partition. A topic that is made anew has new ones. */
export class Partition {
  /** No other log has it. */
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  /** Who leads it when anyone does. */
  #leader: number;
  leaderless = false;
  /** Its topic was deleted. It keeps what a reader may have read. */
  isDeleted = false;
  /** Of the topic, which has another when it is made anew. */
  topicId = '';
  /** When every broker has heard that it exists. */
  heardOfMs = 0;
  readonly batches: StoredBatch[] = [];
  /** Every offset that the log has started at. */
  starts: readonly number[] = [0];
  end = 0;
  /** By producer id: the first offset of its open transaction. */
  readonly open = new Map<bigint, number>();
  readonly aborted: { readonly producerId: bigint; readonly firstOffset: number; readonly lastOffset: number }[] = [];
  readonly producers = new Map<bigint, ProducerState>();

  readonly #replication = new Replication();
  readonly #nowMs: () => number;

  constructor(id: number, topic: string, partition: number, leader: number, nowMs: () => number) {
    this.id = id;
    this.#nowMs = nowMs;
    this.topic = topic;
    this.partition = partition;
    this.#leader = leader;
  }

  /** The broker that leads it, -1 while none does. */
  get leader(): number {
    return this.leaderless ? -1 : this.#leader;
  }

  /** Its leader goes, and another takes over after a while. */
  loseLeader(later: (run: () => void) => void): void {
    this.leaderless = true;
    later(() => {
      this.#leader = (this.#leader + 1) % BROKERS;
      this.leaderless = false;
    });
  }

  /** An unclean election: the new leader lacks what lies at and behind `end`, though it was acknowledged. */
  truncate(end: number): void {
    const from = this.batches.findIndex(({ lastOffset }) => lastOffset >= end);
    if (from >= 0) this.batches.splice(from);
    this.end = (this.batches.at(-1)?.lastOffset ?? -1) + 1;
    for (const [producerId, first] of this.open) if (first >= this.end) this.open.delete(producerId);
    this.producers.clear();
  }

  /** Another one leads at once. The old one, and those whom clients ask, learn of it later. */
  moveLeader(move: LeaderMove): void {
    const nowMs = this.#nowMs();
    const old = this.#leader;
    const view = {
      ...this.#view(),
      open: new Map(this.open),
      producers: new Map([...this.producers].map(([id, { epoch }]) => [id, { epoch }])),
    };
    this.#replication.depose(old, view, move, nowMs);
    this.#leader = (old + 1) % BROKERS;
    const shown = this.batches.at(-move.behindBatches)?.baseOffset ?? 0;
    if (move.behindMs > 0) this.#replication.fallBehind(Math.max(shown, this.logStart), nowMs + move.behindMs);
  }

  /** What the broker of this id answers from; undefined when it knows that it does not lead. */
  seenBy(leader: number): LogView | undefined {
    if (this.leaderless) return undefined;
    return leader === this.#leader ? this : this.#replication.viewOf(leader, this.#nowMs());
  }

  /** The leader whom a broker may name that has not heard of another. */
  get leaderOfLate(): number | undefined {
    return this.leaderless ? undefined : this.#replication.namedStill(this.#nowMs());
  }

  #view(): LogView {
    const { logStart, end, highWatermark, lastStableOffset, open, producers } = this;
    return { logStart, end, highWatermark, lastStableOffset, open, producers };
  }

  get highWatermark(): number {
    return this.#replication.highWatermark(this.end, this.#nowMs());
  }

  /** How long until readers are given what is there now. */
  get behindForMs(): number {
    return Math.max(0, this.#replication.behindUntilMs - this.#nowMs());
  }

  /** Every replica has what is there: so it is when a producer that waits for all of them is answered. */
  replicated(): void {
    this.#replication.catchUp();
  }

  /** What is appended next is shown to readers after a while. */
  replicatesLater(afterMs: number): void {
    if (afterMs > 0) this.#replication.fallBehind(this.highWatermark, this.#nowMs() + afterMs);
  }

  get logStart(): number {
    return this.starts.at(-1) ?? 0;
  }

  /** How far a reader can read, as its leader knows. */
  get lastStableOffset(): number {
    return Math.max(Math.min(this.stableEnd, this.highWatermark), this.logStart);
  }

  /** How far it could, if every replica knew what the others have. */
  get stableEnd(): number {
    let lowest = this.end;
    for (const first of this.open.values()) if (first < lowest) lowest = first;
    return Math.max(lowest, this.logStart);
  }

  /** Takes away what lies before `offset`: its retention is over, or somebody asked for it. Readers may have read it. */
  deleteRecords(offset: number): void {
    if (offset <= this.logStart) return;
    this.starts = [...this.starts, offset];
  }

  /** Of the first batch that is not older, the first offset: the model's batches have one time. */
  offsetAtTime(timestampMs: number): number | undefined {
    const found = this.batches.find(
      ({ lastOffset, bytes }) => lastOffset >= this.logStart && Number(bytes.readBigInt64BE(35)) >= timestampMs,
    );
    return found === undefined || found.baseOffset >= this.lastStableOffset ? undefined : found.baseOffset;
  }

  /** In `batches`, which are in the order of their offsets: of the first that reaches up to `offset`, or behind all. */
  placeOf(offset: number): number {
    let [low, high] = [0, this.batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.batches[middle]?.lastOffset ?? offset) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  append(bytes: Buffer, producerId: bigint, producerEpoch: number, transactional: boolean, control: StoredBatch['control']): void {
    const stored = Buffer.from(bytes);
    const baseOffset = this.end;
    stored.writeBigInt64BE(BigInt(baseOffset), 0);
    const lastOffset = baseOffset + stored.readInt32BE(23);
    this.batches.push({ baseOffset, lastOffset, bytes: stored, producerId, producerEpoch, transactional, control });
    this.end = lastOffset + 1;
  }
}
