import { sinksOf } from '../../protocol/pool.ts';
import { type CoordinatorDeps, connectorNamed, type JobSettings, type Tenure } from '../coordinator/context.ts';

/** Finds what sinks have open and nobody is going to end. */
export interface OpenWatch {
  /** One look where the job's sinks have written; changes nothing there. Has something of the job been open in this look and in the one before? */
  look(): Promise<boolean>;
}

export function createOpenWatch(deps: CoordinatorDeps, { job }: Pick<JobSettings, 'job'>, { incarnation, pool }: Tenure): OpenWatch {
  const watches = Object.keys(pool).flatMap((name) => {
    const connector = connectorNamed(deps, name);
    return connector.how === 'prepared' ? [connector.watch({ job, incarnation, sinks: sinksOf(pool, name) })] : [];
  });
  return {
    async look() {
      const found = await Promise.all(watches.map((watch) => watch.look(deps.observe)));
      return found.includes(true);
    },
  };
}
