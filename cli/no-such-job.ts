import type { CommandResult } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Tools } from './tools.ts';

export function noSuchJob({ job, config }: Pick<Tools, 'job' | 'config'>): CommandResult {
  return {
    code: EXIT.noSuchJob,
    json: { job, standing: 'none' },
    text: `there is no job ${job} in table ${config.table}: it was never started, or it was deleted; or the name (--job) or the table (ONCEFLOW_TABLE) is another`,
  };
}
