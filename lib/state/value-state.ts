/**
 * The value of one state for the key that is being worked on. `Absent` is what is read when there is none. It is of no use
 * outside of its record: every method throws there (`valueState` says what may be kept).
 */
export interface ValueState<T, Absent = undefined> {
  get(): T | Absent;
  set(value: T): void;
  /** Sets what `fn` makes of the present value, and returns it. */
  update(fn: (value: T | Absent) => T): T;
  /** Takes the value away: the key reads the initial value again and, when no state is left, costs nothing. */
  clear(): void;
}
