/** Time, injected. Engine modules never read the system clock: the simulation runs them on a virtual one. */
export interface Clock {
  /** Milliseconds since the Unix epoch. Decides liveness, never safety. */
  now(): number;
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
