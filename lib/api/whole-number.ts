import { JobDefinitionError } from '../graph/job.ts';

/** An option's value in a message: a text is told from a number. */
export function shownValue(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Throws `JobDefinitionError` unless an option is a whole number within these bounds. @param where `writeAheadSink: maxBatchRows` */
export function expectWhole(value: number, where: string, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new JobDefinitionError(`${where} is ${shownValue(value)}, and must be a whole number of ${least} to ${most}`);
}
