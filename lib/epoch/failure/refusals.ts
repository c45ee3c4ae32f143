/**
 * Since when stages have been refused something: a right, a topic, a limit. Rights are changed and clusters restart while a job runs: a
 * refusal counts when each try of its stage has met it for so long. To a person who has just started the job the first one is told,
 * until an epoch is decided. Times are `elapsedMs`.
 */
export interface Refusals {
  readonly sinceMs: ReadonlyMap<string, number>;
  /** Until then somebody waits for the first epoch. */
  readonly watchedUntilMs: number;
}

/** @param startedMs when a person started the job; undefined when none did */
export function noRefusals(timeoutMs: number, startedMs: number | undefined): Refusals {
  return { sinceMs: new Map(), watchedUntilMs: startedMs === undefined ? Number.NEGATIVE_INFINITY : startedMs + timeoutMs };
}

/** A stage was refused something. Has that lasted, so that a person has to act? */
export function afterRefused(
  before: Refusals,
  stage: string,
  nowMs: number,
  timeoutMs: number,
): { readonly refusals: Refusals; readonly hasLasted: boolean } {
  const first = before.sinceMs.get(stage) ?? nowMs;
  return {
    refusals: { ...before, sinceMs: new Map([...before.sinceMs, [stage, first]]) },
    hasLasted: nowMs < before.watchedUntilMs || nowMs - first >= timeoutMs,
  };
}

/** A stage ended otherwise: nothing is refused to it, as far as is known. */
export function afterPassed(before: Refusals, stage: string): Refusals {
  if (!before.sinceMs.has(stage)) return before;
  return { ...before, sinceMs: new Map([...before.sinceMs].filter(([other]) => other !== stage)) };
}

/** An epoch was decided. */
export const NO_REFUSALS: Refusals = { sinceMs: new Map(), watchedUntilMs: Number.NEGATIVE_INFINITY };
