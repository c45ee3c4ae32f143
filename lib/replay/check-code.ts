import { checkCompatible, fingerprint } from '../graph/fingerprint.ts';
import { describeGraph } from '../graph/graph.ts';
import type { JobDefinition } from '../graph/job.ts';
import type { JobRow } from '../ports/epoch-store.ts';
import { ReplayRefusedError } from './refused.ts';

/**
 * Is this code of the graph that the job has run? `changed`: the code that it will be; what is new is answered.
 *
 * @throws ReplayRefusedError as a start with this code would be refused; and when the code is to be that of then, and something is new
 */
export function checkCode(row: Pick<JobRow, 'job' | 'fingerprint'>, job: JobDefinition, is: 'as-it-was' | 'changed'): readonly string[] {
  const compatibility = checkCompatible(row.fingerprint, fingerprint(describeGraph(job)));
  if (compatibility.outcome === 'same') return [];
  const differences = (
    compatibility.outcome === 'incompatible' ? compatibility.differences : [...compatibility.added, ...compatibility.renamed]
  ).join('; ');
  if (compatibility.outcome === 'incompatible')
    throw new ReplayRefusedError(
      `job ${row.job} cannot go on with this graph: ${differences}. ${is === 'changed' ? 'A start would be refused too: give back what was taken away' : 'Take the code that the job runs'}`,
    );
  if (is === 'as-it-was')
    throw new ReplayRefusedError(
      `job ${row.job} has not run this graph: ${differences}. Take the code that the job runs, or rehearse this one (onceflow rehearse)`,
    );
  return compatibility.added;
}
