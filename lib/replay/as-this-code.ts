import { underNewNames, withStageTimes } from '../epoch/start/new-names.ts';
import { fingerprint } from '../graph/fingerprint.ts';
import { describeGraph } from '../graph/graph.ts';
import type { JobDefinition } from '../graph/job.ts';
import { compilePlan } from '../plan/compile.ts';
import type { Manifest } from '../protocol/manifest.ts';

/** An epoch of the code of then, under the names that this code gives to what it has. */
export function asThisCode<M extends Manifest>(manifest: M, job: JobDefinition): M {
  return withStageTimes(underNewNames(manifest, { fingerprint: fingerprint(describeGraph(job)) }), compilePlan(job));
}
