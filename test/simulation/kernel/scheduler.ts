import type { SimProcess } from './process.ts';

export interface SimEvent {
  readonly atMs: number;
  readonly order: number;
  /** The process that the event belongs to: it does not happen to one that is dead, frozen or not running. */
  readonly owner: SimProcess | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/**
 * Virtual time. Events happen in the order of their times, those of the same time in the order in which they were made;
 * before the next one all promises that wait for nothing but each other have run. Nothing here knows the real time.
 */
export class Scheduler {
  nowMs = 0;
  events = 0;
  readonly #heap: SimEvent[] = [];
  #order = 0;

  at(atMs: number, owner: SimProcess | undefined, run: () => void): SimEvent {
    const event: SimEvent = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, owner, run, cancelled: false };
    this.#push(event);
    return event;
  }

  after(delayMs: number, owner: SimProcess | undefined, run: () => void): SimEvent {
    return this.at(this.nowMs + delayMs, owner, run);
  }

  /** Runs until `done` says so, no event is left, or the limits are reached. */
  async run(
    done: () => boolean,
    limits: { readonly untilMs: number; readonly events: number },
  ): Promise<'done' | 'idle' | 'time' | 'events'> {
    await settled();
    while (!done()) {
      const event = this.#pop();
      if (event === undefined) return 'idle';
      if (event.cancelled) continue;
      const { owner } = event;
      if (owner !== undefined) {
        if (!owner.alive) continue;
        if (owner.frozenUntilMs > Math.max(this.nowMs, event.atMs)) {
          this.#push({ ...event, atMs: owner.frozenUntilMs, order: this.#order++ });
          continue;
        }
        if (owner.parked) {
          owner.parkedEvents.push(event);
          continue;
        }
      }
      if (event.atMs > limits.untilMs) {
        this.#push(event);
        this.nowMs = limits.untilMs;
        return 'time';
      }
      if (this.events >= limits.events) return 'events';
      this.events++;
      this.nowMs = event.atMs;
      event.run();
      await settled();
    }
    return 'done';
  }

  #push(event: SimEvent): void {
    const heap = this.#heap;
    heap.push(event);
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent] as SimEvent)) break;
      heap[at] = heap[parent] as SimEvent;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as SimEvent, heap[child] as SimEvent)) child++;
      if (!before(heap[child] as SimEvent, last)) break;
      heap[at] = heap[child] as SimEvent;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(left: SimEvent, right: SimEvent): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

/** Resolves when every promise has run that waits for no event: Node runs a tick only when no microtask is left. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
