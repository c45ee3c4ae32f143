/** How the values of a key are cut into windows. Times in milliseconds; aligned ones begin at multiples since the Unix epoch, and the offset. */
export type WindowShape =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs: number }
  | { readonly kind: 'sliding'; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number }
  | { readonly kind: 'cumulating'; readonly maxSizeMs: number; readonly stepMs: number; readonly offsetMs: number }
  | { readonly kind: 'session'; readonly gapMs: number }
  | { readonly kind: 'count'; readonly size: number };

/** The window that a result is of. The same object is given to nobody else. */
export interface WindowContext<K> {
  /** Whose window it is. */
  readonly key: K;
  /** In milliseconds since the Unix epoch. Of a session and of a count window the time of the earliest value. */
  readonly startMs: number;
  /** The first millisecond behind the window. Of a session that of the latest value and the gap; of a count window that behind its latest value. */
  readonly endMs: number;
  /** So many values are in it. */
  readonly count: number;
  /** It is not complete: `earlyEveryMs` has come. */
  readonly isEarly: boolean;
  /** Its result was due before: values came late, and this result takes the place of that one. */
  readonly isUpdate: boolean;
}

/** The window whose values `process` is given. */
export interface WindowProcessContext<K, Sides> extends WindowContext<K> {
  /** By the names that the operator declares: where it emits what it gives aside. What nobody reads is dropped. */
  readonly sideOutputs: Sides;
}

/** How the values of a window become one. */
export interface WindowFold {
  readonly kind: 'fold';
  /** What the first value of a window makes. */
  readonly first: (value: unknown) => unknown;
  readonly add: (accumulator: unknown, value: unknown) => unknown;
  /** Undefined: accumulators cannot be made one. */
  readonly merge: ((one: unknown, other: unknown) => unknown) | undefined;
  readonly result: (accumulator: unknown, context: WindowContext<unknown>) => unknown;
}

/** All values of a window together, in the order of time. */
export interface WindowProcess {
  readonly kind: 'process';
  readonly process: (
    values: readonly unknown[],
    context: WindowProcessContext<unknown, unknown>,
    out: { emit(value: unknown): void },
  ) => unknown;
  /** The tags of what it gives aside. */
  readonly sideOutputs: readonly string[];
}
