/**
 * To be thrown by the functions of `writeAheadSink` when the target will never take the rows: a table that is gone, a column that
 * does not fit, a missing right. When that has lasted for ONCEFLOW_REFUSAL_TIMEOUT_MS the job stops, and says the message.
 * Whatever else they throw is taken for an outage: the rows are delivered again until the target takes them.
 */
export class DeliveryRefusedError extends Error {
  override readonly name = 'DeliveryRefusedError';
}
