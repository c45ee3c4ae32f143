import type { MapAsyncNode } from '../graph/job.ts';
import type { Clock } from '../ports/clock.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import { UserCodeError } from '../records/errors.ts';
import type { Push } from '../records/push.ts';
import { originOfAnswer } from './origins.ts';

/** Whose fault it is that a value fails later than its record was worked on. */
export type Blame = (error: unknown) => unknown;

/** So many times as many values wait as are asked for at once, then the input waits for them: of what waits at the end little is lost. */
const ROUNDS = 10;

/**
 * What of a stage's values waits for the author's functions. Collected while records are worked on, without a promise; asked for between
 * them, and passed on in the order in which they came.
 */
export class AsyncCalls {
  readonly #current: CurrentRecord;
  /** What is to be said of a value that comes now and fails later. */
  readonly #blame: () => Blame;
  readonly #nodes = new Map<number, WaitingNode>();

  constructor(current: CurrentRecord, blame: () => Blame) {
    this.#current = current;
    this.#blame = blame;
  }

  /** What takes the values of the node. Made once, also if several chains lead to it. */
  ofNode(node: MapAsyncNode, label: string, next: () => Push): Push {
    const known = this.#nodes.get(node.id);
    if (known !== undefined) return known.take;
    const waiting = new WaitingNode(node, label, this.#current, this.#blame);
    this.#nodes.set(node.id, waiting);
    waiting.next = next();
    return waiting.take;
  }

  /** Is there any node whose values wait? */
  get any(): boolean {
    return this.#nodes.size > 0;
  }

  /** Does any value wait? */
  get isWaiting(): boolean {
    for (const node of this.#nodes.values()) if (node.isWaiting) return true;
    return false;
  }

  /** Do so many wait that no more input should be taken before they are answered? */
  get isFull(): boolean {
    for (const node of this.#nodes.values()) if (node.isFull) return true;
    return false;
  }

  /** Forgets what waits. */
  begin(): void {
    for (const node of this.#nodes.values()) node.begin();
  }

  /**
   * Asks for all that waits, and passes it on. Throws what the first that fails has failed with. @param deadlineMs of the epoch, by
   * `elapsedMs` of the clock
   */
  async settle(clock: Clock, deadlineMs: number): Promise<void> {
    // What one passes on may wait for one behind it, whose id is greater.
    const inOrder = [...this.#nodes].sort(([one], [other]) => one - other);
    for (const [, node] of inOrder) if (node.isWaiting) await node.settle(clock, deadlineMs);
  }
}

/** A value, with what `CurrentRecord` said of it when it came. */
interface Held extends Readonly<CurrentRecord> {
  readonly value: unknown;
  readonly blame: Blame;
}

class WaitingNode {
  next: Push = () => {};
  readonly take: Push;
  readonly #node: MapAsyncNode;
  readonly #label: string;
  readonly #current: CurrentRecord;
  #held: Held[] = [];

  constructor(node: MapAsyncNode, label: string, current: CurrentRecord, blame: () => Blame) {
    this.#node = node;
    this.#label = label;
    this.#current = current;
    this.take = (value) => void this.#held.push({ ...current, value, blame: blame() });
  }

  get isWaiting(): boolean {
    return this.#held.length > 0;
  }

  get isFull(): boolean {
    return this.#held.length >= ROUNDS * this.#node.capacity;
  }

  begin(): void {
    this.#held = [];
  }

  async settle(clock: Clock, deadlineMs: number): Promise<void> {
    const held = this.#held;
    this.#held = [];
    const answers = await this.#answersTo(held, clock, deadlineMs);
    let turn = -1;
    let nth = 0;
    for (const [index, { value: _, blame, ...of }] of held.entries()) {
      nth = of.turn === turn ? nth + 1 : 0;
      turn = of.turn;
      const origin = of.origin === '' ? '' : originOfAnswer(of.origin, this.#node.id, nth);
      Object.assign(this.#current, of, { origin, turn: this.#current.turn + 1 });
      try {
        this.next(answers[index]);
      } catch (error) {
        throw blame(error);
      }
    }
  }

  /** At most as many at once as the node says. The first that fails ends them all. */
  async #answersTo(held: readonly Held[], clock: Clock, deadlineMs: number): Promise<readonly unknown[]> {
    const answers: unknown[] = new Array(held.length);
    const underWay = new Set<AbortController>();
    let next = 0;
    let isOver = false;
    const work = async () => {
      while (next < held.length && !isOver) {
        if (clock.elapsedMs() >= deadlineMs) throw this.#outOfTime(held.length, next);
        const index = next++;
        answers[index] = await this.#answerTo(held[index] as Held, clock, underWay);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(this.#node.capacity, held.length) }, work));
    } finally {
      isOver = true;
      for (const call of underWay) call.abort();
    }
    return answers;
  }

  async #answerTo({ value, blame }: Held, clock: Clock, underWay: Set<AbortController>): Promise<unknown> {
    const { fn, timeoutMs } = this.#node;
    const call = new AbortController();
    const patience = new AbortController();
    underWay.add(call);
    try {
      const isLate = clock.sleep(timeoutMs, patience.signal).then(() => LATE);
      const answer = await Promise.race([fn(value, { signal: call.signal }), isLate]);
      if (answer === LATE) throw new CallTimeoutError(timeoutMs);
      underWay.delete(call);
      return answer;
    } catch (cause) {
      throw blame(new UserCodeError(this.#label, cause));
    } finally {
      patience.abort();
    }
  }

  #outOfTime(all: number, asked: number): Error {
    return new Error(
      `${this.#label}: the time of the epoch is over, and ${all - asked} of ${all} values were not asked for yet: ` +
        'let more be asked for at once (capacity), or let epochs be smaller (ONCEFLOW_MAX_EPOCH_BYTES) or take longer (ONCEFLOW_EPOCH_TIMEOUT_MS)',
    );
  }
}

const LATE = Symbol('late');

/** A function of `mapAsync` has not answered for a value. */
class CallTimeoutError extends Error {
  override readonly name = 'CallTimeoutError';

  constructor(timeoutMs: number) {
    super(`the function has not answered within ${timeoutMs} ms (timeoutMs of mapAsync)`);
  }
}
