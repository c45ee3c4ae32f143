import { JobDefinitionError } from '../graph/job.ts';

/** An option's value in a message: a text is told from a number, and so is a bigint. */
export function shownValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Throws `JobDefinitionError` unless an option is left out or says a time in milliseconds. @param where `deduplicate once: forMs` */
export function expectSpan(value: number | undefined, least: number, where: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new JobDefinitionError(`${where} is ${shownValue(value)}, and must be whole milliseconds, ${least} or more`);
}

/** Throws `JobDefinitionError` unless an option is a whole number within these bounds. @param where `writeAheadSink: maxBatchRows` */
export function expectWhole(value: number, where: string, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new JobDefinitionError(`${where} is ${shownValue(value)}, and must be a whole number of ${least} to ${most}`);
}
