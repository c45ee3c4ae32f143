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
  readonly batches: StoredBatch[] = [];
  logStart = 0;
  /** Every offset that the log has started at. */
  readonly starts: number[] = [0];
  end = 0;
  /** By producer id: the first offset of its open transaction. */
  readonly open = new Map<bigint, number>();
  readonly aborted: { readonly producerId: bigint; readonly firstOffset: number; readonly lastOffset: number }[] = [];
  readonly producers = new Map<bigint, ProducerState>();

  constructor(id: number, topic: string, partition: number, leader: number) {
    this.id = id;
    this.topic = topic;
    this.partition = partition;
    this.#leader = leader;
  }

  /** The broker that leads it, -1 while none does. */
  get leader(): number {
    return this.leaderless ? -1 : this.#leader;
  }

  /** Its leader goes, and another takes over after a while. */
  loseLeader(later: (run: () => void) => void, brokers = 2): void {
    this.leaderless = true;
    later(() => {
      this.#leader = (this.#leader + 1) % brokers;
      this.leaderless = false;
    });
  }

  get lastStableOffset(): number {
    let lowest = this.end;
    for (const first of this.open.values()) if (first < lowest) lowest = first;
    return Math.max(lowest, this.logStart);
  }

  /** Takes away what lies before `offset`: its retention is over, or somebody asked for it. Readers may have read it. */
  deleteRecords(offset: number): void {
    if (offset <= this.logStart) return;
    this.logStart = offset;
    this.starts.push(offset);
  }

  /** Of the first batch that is not older, the first offset: the model's batches have one time. */
  offsetAtTime(timestampMs: number): number | undefined {
    const found = this.batches.find(
      ({ lastOffset, bytes }) => lastOffset >= this.logStart && Number(bytes.readBigInt64BE(35)) >= timestampMs,
    );
    return found === undefined || found.baseOffset >= this.lastStableOffset ? undefined : found.baseOffset;
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
