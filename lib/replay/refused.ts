/** What was asked for cannot be replayed. Nothing was run; the message says why, and what can be done. */
export class ReplayRefusedError extends Error {
  override readonly name = 'ReplayRefusedError';
}
