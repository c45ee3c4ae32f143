/** Wrong arguments, or something that a command was pointed at and that is not there: nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
