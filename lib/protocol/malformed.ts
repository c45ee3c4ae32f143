/** Bytes that do not hold what they should. `what` is completed by the caller with topic, partition and offset. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}
