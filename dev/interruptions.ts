/** Aborted at the first signal to end; the second one ends this process, and with it all that it has started. */
export function interruptions(say: (line: string) => void): { readonly signal: AbortSignal; ignore(): void } {
  const interrupted = new AbortController();
  const hear = () => {
    // What is still running ends with this process; the next start settles what it left open.
    if (interrupted.signal.aborted) process.exit(1);
    say('stopping (once more to stop at once)');
    interrupted.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hear);
  return {
    signal: interrupted.signal,
    ignore() {
      for (const signal of signals) process.off(signal, hear);
    },
  };
}
