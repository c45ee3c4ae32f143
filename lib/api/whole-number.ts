import { JobDefinitionError } from '../graph/job.ts';

/** Throws `JobDefinitionError` unless an option is a whole number within these bounds. @param where `writeAheadSink: maxBatchRows` */
export function expectWhole(value: number, where: string, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new JobDefinitionError(`${where} is ${String(value)}, and must be a whole number of ${least} to ${most}`);
}
