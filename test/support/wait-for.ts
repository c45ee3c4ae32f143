const PAUSE_MS = 15;
/** Less than a test's own timeout, which would not say what it waited for. */
export const PATIENCE_MS = 120_000;

/** Resolves when `condition` holds; rejects, saying that `what` did not come, when it does not in time. */
export async function waitFor(what: string, condition: () => boolean | Promise<boolean>, pauseMs = PAUSE_MS): Promise<void> {
  const untilMs = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > untilMs) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
