/** Since when stages have been refused something: a right, a topic, a limit. */
export interface Refusals {
  /** A stage was refused something. Has that lasted, so that a person has to act? */
  hasLasted(stage: string, nowMs: number): boolean;
  /** A stage ended otherwise: nothing is refused to it, as far as is known. */
  passed(stage: string): void;
  /** An epoch was decided. */
  decided(): void;
}

/**
 * Rights are changed and clusters restart while a job runs: a refusal counts when each try of its stage has met it for so long. To a
 * person who has just started the job the first one is told, until an epoch is decided.
 *
 * @param startedMs `elapsedMs` when a person started the job; undefined when none did
 */
export function createRefusals(timeoutMs: number, startedMs: number | undefined): Refusals {
  const sinceMs = new Map<string, number>();
  let watchedUntilMs = startedMs === undefined ? Number.NEGATIVE_INFINITY : startedMs + timeoutMs;

  return {
    hasLasted(stage, nowMs) {
      const first = sinceMs.get(stage) ?? nowMs;
      sinceMs.set(stage, first);
      return nowMs < watchedUntilMs || nowMs - first >= timeoutMs;
    },
    passed(stage) {
      sinceMs.delete(stage);
    },
    decided() {
      sinceMs.clear();
      watchedUntilMs = Number.NEGATIVE_INFINITY;
    },
  };
}
