const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Waits as for an answer, with no processor: so subtasks add up on any machine. */
export function waitAMillisecond(): void {
  Atomics.wait(nothing, 0, 0, 1);
}
