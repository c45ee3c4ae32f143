/**
 * Time, injected. Engine modules never read the system clock: the simulation runs them on a virtual one. Both readings decide
 * liveness, never safety, and the one is never compared with the other.
 */
export interface Clock {
  /**
   * Wall time, in milliseconds since the Unix epoch: for what other processes and people read (leases, rows, figures). It differs
   * from theirs, and may step back or ahead at any moment.
   */
  now(): number;
  /**
   * Milliseconds since some moment of this process, which never step: for every interval, pause and deadline in it. Means nothing in
   * another process, so what travels is the time that is left.
   */
  elapsedMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness, injected for the same reason. */
export interface Random {
  /** A new unique id: 32 lower-case hexadecimal digits. Names incarnations, decisions and blobs. */
  id(): string;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}

/** What those need who wait before they repeat something: the time, and randomness so that they do not return together. */
export interface Timing {
  readonly clock: Clock;
  readonly random: Random;
}
