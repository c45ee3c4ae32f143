import { parameters } from '../lib/config/parameters.ts';
import { parseTableLocation } from '../lib/config/table-location.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import type { CommandTools } from './tools.ts';

/** For a command that is for deployments. @throws UsageError: the job is in a file of this machine */
export function mustBeDeployed({ job, config: { table } }: Pick<CommandTools, 'job' | 'config'>): void {
  if (parseTableLocation(table)?.kind !== 'file') return;
  const here = `job ${job} is in a file of this machine (${parameters.table.variable}), and no deployment has it`;
  throw new UsageError(`${here}: "onceflow dev" runs it, and shows what its functions log`);
}
