import type { StartingOffsets } from '../../../lib/config/starting-offsets.ts';
import type { HeldAs } from '../../../lib/epoch/lease/held.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { Decision } from '../../../lib/ports/epoch-store.ts';
import type { BlobBucket } from '../models/blob-bucket.ts';
import type { EpochTable } from '../models/epoch-table.ts';
import type { Broker } from '../models/kafka-broker.ts';
import type { Targets } from '../models/targets.ts';
import type { SimJob } from '../sim-job.ts';
import { Arrivals } from './arrivals.ts';
import { takeBegun } from './begun.ts';
import { Contents } from './contents.ts';
import { LeftOut, type PoisonRule } from './dead-letters.ts';
import { acceptDecision } from './decisions.ts';
import { Elsewhere } from './elsewhere.ts';
import { checkDeleted, checkEpochsDeleted, checkKept, checkMissing, checkPinned, checkSavepoints } from './garbage.ts';
import { type Gap, Input } from './input.ts';
import { Leftovers } from './leftovers.ts';
import type { Life } from './life.ts';
import { type Move, moveTo } from './moved.ts';
import { checkOrder } from './order.ts';
import { checkOutcome } from './outcome.ts';
import { checkOutput } from './output.ts';
import { checkAtRest, checkNothingOpen, checkSaid, unfinished } from './rest.ts';
import { type Invariant, presentLife, type Scene } from './scene.ts';
import { Transactions } from './transactions.ts';
import { Visibility } from './visibility.ts';

export interface Violation {
  readonly invariant: Invariant;
  readonly message: string;
}

export interface Watched {
  readonly job: SimJob;
  readonly startsAt: StartingOffsets;
  readonly broker: Broker;
  readonly table: EpochTable;
  readonly bucket: BlobBucket;
  readonly targets: Targets;
  readonly maxParallelism: number;
  readonly poison: PoisonRule;
  /** Whether transactions may be left open that no client can end. */
  readonly strands: boolean;
}

/**
 * Watches what becomes irrevocable (decisions, commits, deletions) and what a reader of the logs sees, and holds it against the
 * invariants of docs/invariants.md and against what the job, interpreted plainly, makes of the input that was decided. It shares
 * no code with the engine but the graph of the job as data, and what the author wrote: functions and serdes.
 */
export class Checker {
  readonly violations: Violation[] = [];
  readonly arrivals = new Arrivals();
  readonly transactions: Transactions;
  readonly leftovers: Leftovers;
  readonly #scene: Scene;
  readonly #poison: PoisonRule;
  readonly #strands: boolean;
  readonly #contents: Contents;
  readonly #input: Input;
  readonly #visibility: Visibility;
  readonly #elsewhere: Elsewhere;
  /** By the id of the start. */
  readonly #moves = new Map<string, Move>();

  constructor({ job, startsAt, broker, table, bucket, targets, maxParallelism, poison, strands }: Watched) {
    const lives: Life[] = [];
    this.#scene = { job, broker, table, bucket, maxParallelism, lives, fail: (invariant, message) => this.fail(invariant, message) };
    this.#poison = poison;
    this.#strands = strands;
    this.#contents = new Contents(this.#scene);
    this.#input = new Input(this.#scene, startsAt, this.arrivals);
    this.transactions = new Transactions(this.#scene, this.#contents);
    this.#visibility = new Visibility(this.#scene, this.transactions);
    this.#elsewhere = new Elsewhere(this.#scene, targets);
    this.leftovers = new Leftovers(this.#scene);
    this.#watch();
  }

  /** What is checked when it happens. */
  #watch(): void {
    const { table, broker, bucket } = this.#scene;
    table.observer = {
      decided: (decision) => this.#takeDecision(decision),
      sentAgain: (row, sentAgain) => this.transactions.takeSentAgain(row, sentAgain),
      committed: (row, epoch) => {
        this.#visibility.takeCommitted(row, epoch);
        this.#elsewhere.takeCommitted(row, epoch);
      },
      written: (row, by) => {
        if (by.incarnation !== undefined && by.incarnation !== row.incarnation)
          this.fail('I1', `generation ${by.generation} of incarnation ${by.incarnation} has written to the row of ${row.incarnation}`);
      },
      forgotten: (incarnation) => this.#visibility.takeForgotten(incarnation),
      epochsDeleted: (incarnation) => checkEpochsDeleted(this.#scene, incarnation),
      pinned: (savepoint) => checkPinned(this.#scene, savepoint),
      begun: (next) => {
        this.#visibility.takeForgotten(next.leaves);
        takeBegun(this.#scene, this.#contents, next, this.#moves.get(next.startedFrom.at(-1)?.id ?? ''));
      },
    };
    broker.onEnd = (end) => this.#visibility.takeEnd(end);
    broker.onPlain = (partition, batch) => this.#visibility.takePlain(partition, batch);
    bucket.onDelete = (name) => checkDeleted(this.#scene, name);
    bucket.onPut = (name) => this.leftovers.takePut(name);
    bucket.onMissing = (name) => checkMissing(this.#scene, name);
  }

  /** An epoch is decided once, on the one before; its input joins that one's; its output and its state are what the job makes of it. */
  #takeDecision(decision: Decision): void {
    try {
      const decided = acceptDecision(this.#scene, this.#contents, decision);
      if (decided === undefined) return;
      const { life, epoch, parent } = decided;
      for (const committable of epoch.manifest.committables) this.transactions.name(life, committable);
      const leftOut = new LeftOut(this.#scene, this.#poison, this.#contents, epoch.manifest);
      const input = this.#input.of(epoch.manifest, parent, leftOut);
      checkOutcome(this.#scene, this.#contents, decided, input);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.fail('I7', `epoch ${decision.epoch} was decided with blobs that cannot be read: ${why}`);
    }
  }

  /** What is checked after faults have stopped and the job has been given its time. */
  checkEnd(sources: readonly string[]): void {
    const left = unfinished(this.#scene, this.transactions, sources, this.#strands);
    if (left !== undefined) this.fail('I6', left);
    checkNothingOpen(this.#scene);
    checkKept(this.#scene);
    checkSavepoints(this.#scene);
    checkOutput(this.#scene, this.transactions, this.#visibility);
    this.#elsewhere.checkEnd();
    checkOrder(this.#scene);
  }

  /** In the end, of what the coordinators said. */
  checkSaid(events: readonly CoordinatorEvent[]): void {
    checkSaid(this.#scene, events);
  }

  /** After somebody brought the job to rest. */
  checkAtRest(after: string): void {
    checkAtRest(this.#scene, this.transactions, after);
  }

  fail(invariant: Invariant, message: string): void {
    this.violations.push({ invariant, message });
  }

  /** A start was asked for whose sources go on elsewhere than its savepoint says. */
  takeMove(start: string, to: StartingOffsets): void {
    this.#moves.set(start, moveTo(this.#scene, to));
  }

  /** A coordinator says what input its next epoch leaves out. */
  takeDataLoss(tenure: HeldAs, gap: Gap): void {
    this.#input.takeDataLoss(tenure, gap);
  }

  takeFailedAttempt(tenure: HeldAs, epoch: number): void {
    this.#input.takeFailedAttempt(tenure, epoch);
  }

  /** Has everything that `sources` have been read, decided and committed, and is every log readable to its end? */
  caughtUp(sources: readonly string[]): boolean {
    return presentLife(this.#scene)?.over === false && unfinished(this.#scene, this.transactions, sources, this.#strands) === undefined;
  }

  /** Epochs decided, the starting offsets' included. */
  get epochs(): number {
    return this.#scene.lives.reduce((sum, { decided }) => sum + decided.length, 0);
  }

  /** Manifests that were too large for a row. */
  get manifestsInBlobs(): number {
    return this.#scene.lives.flatMap(({ decided }) => decided).filter(({ blob }) => blob !== undefined).length;
  }

  /** Incarnations in which something was decided. */
  get lives(): number {
    return this.#scene.lives.length;
  }

  /** Records that were sent again outside a transaction, and batches that were delivered again. */
  get repeated(): number {
    return this.#visibility.repeated + this.#elsewhere.repeated;
  }
}
