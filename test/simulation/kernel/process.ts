import type { Clock } from '../../../lib/ports/clock.ts';
import type { Scheduler, SimEvent } from './scheduler.ts';

export type Role = 'coordinator' | 'source' | 'operator' | 'sink' | 'command';

/** Of a process. Its wall clock goes wrong in every way that one can, its `elapsedMs` in none; but it begins anywhere. */
export interface ProcessClock {
  /** How far its wall clock is ahead of the true time. Steps change it. */
  skewMs: number;
  /** How much its wall clock gains in a millisecond. */
  readonly drift: number;
  /** What its `elapsedMs` was when the virtual time began. */
  readonly beganMs: number;
}

/** A process: what happens in it, happens to its own state only. A dead one does nothing any more; a frozen one later. */
export class SimProcess {
  readonly name: string;
  readonly role: Role;
  readonly build: string;
  readonly clock: ProcessClock;
  alive = true;
  frozenUntilMs = 0;
  /** Between two invocations a function's process does not run at all. */
  parked = false;
  readonly parkedEvents: SimEvent[] = [];

  constructor(name: string, role: Role, build: string, clock: ProcessClock) {
    this.name = name;
    this.role = role;
    this.build = build;
    this.clock = clock;
  }

  /** Told once, when the process dies. */
  readonly onDeath = new Set<() => void>();

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const tell of this.onDeath) tell();
  }

  freeze(untilMs: number): void {
    this.frozenUntilMs = Math.max(this.frozenUntilMs, untilMs);
  }

  unpark(scheduler: Scheduler): void {
    this.parked = false;
    for (const event of this.parkedEvents.splice(0)) scheduler.at(event.atMs, this, () => !event.cancelled && event.run());
  }
}

/** @param lookMs how far both readings move on each time it is looked at: code takes time. Timers go off twice as much too early. @default 0 */
export function clockOf(scheduler: Scheduler, owner: SimProcess, lookMs = 0): Clock {
  let lookedMs = 0;
  return {
    now() {
      lookedMs += lookMs;
      return START_MS + Math.floor(scheduler.nowMs * (1 + owner.clock.drift) + owner.clock.skewMs + lookedMs);
    },
    elapsedMs() {
      lookedMs += lookMs;
      return Math.floor(scheduler.nowMs + owner.clock.beganMs + lookedMs);
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const wake = () => {
          event.cancelled = true;
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const event = scheduler.after(Math.max(ms - 2 * lookMs, 0), owner, wake);
        signal?.addEventListener('abort', wake, { once: true });
      }),
  };
}

/** When the virtual time began, in the milliseconds of the engine's clock. */
export const START_MS = 1_800_000_000_000;
