/** What somebody who is asked knows of a log. */
export interface LogView {
  readonly logStart: number;
  readonly end: number;
  /** What is replicated, as far as it knows: readers are given no more. */
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  /** By producer id: the first offset of its open transaction. */
  readonly open: ReadonlyMap<bigint, number>;
  readonly producers: ReadonlyMap<bigint, { readonly epoch: number }>;
}

/** How a partition gets another leader. */
export interface LeaderMove {
  /** The new one does not know for so long how far its log is replicated: the last batches, so many, are not shown. */
  readonly behindMs: number;
  readonly behindBatches: number;
  /** The old one does not know for so long that it is none any more, and answers reads from what it has. */
  readonly servesMs: number;
  /** Brokers name the old one for so long when they are asked who leads. */
  readonly unheardMs: number;
}

/** What the replicas of one partition know of each other. */
export class Replication {
  /** High watermarks that are behind, and until when. */
  #behind: { readonly highWatermark: number; readonly untilMs: number }[] = [];
  /** Who led until a moment ago: what is left of that. */
  #deposed: { readonly leader: number; readonly servesUntilMs: number; readonly namedUntilMs: number; readonly view: LogView } | undefined;

  highWatermark(end: number, nowMs: number): number {
    return Math.min(end, ...this.#behind.filter(({ untilMs }) => untilMs > nowMs).map(({ highWatermark }) => highWatermark));
  }

  /** What is appended from now on is shown later. */
  fallBehind(highWatermark: number, untilMs: number): void {
    this.#behind.push({ highWatermark, untilMs });
  }

  /** Until when the high watermark is behind. */
  get behindUntilMs(): number {
    return Math.max(0, ...this.#behind.map(({ untilMs }) => untilMs));
  }

  /** Every replica has everything. */
  catchUp(): void {
    this.#behind = [];
  }

  depose(leader: number, view: LogView, { servesMs, unheardMs }: LeaderMove, nowMs: number): void {
    this.#deposed = { leader, view, servesUntilMs: nowMs + servesMs, namedUntilMs: nowMs + unheardMs };
  }

  /** What a broker answers from that believes to lead still. */
  viewOf(leader: number, nowMs: number): LogView | undefined {
    const deposed = this.#deposed;
    return deposed?.leader === leader && deposed.servesUntilMs > nowMs ? deposed.view : undefined;
  }

  /** The leader whom brokers may still name. */
  namedStill(nowMs: number): number | undefined {
    return this.#deposed !== undefined && this.#deposed.namedUntilMs > nowMs ? this.#deposed.leader : undefined;
  }
}
