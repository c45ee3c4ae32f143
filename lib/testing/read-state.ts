import { ofName } from '../config/by-name.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { murmur2 } from '../format/murmur2.ts';
import { JobDefinitionError } from '../graph/job.ts';
import { createOperatorRuntime } from '../operators/operator-runtime.ts';
import { edgesTo } from '../plan/plan.ts';
import { keyGroupOf } from '../protocol/key-groups.ts';
import type { Position } from '../protocol/manifest.ts';
import { readSnapshotBlobs } from '../stages/snapshot-blobs.ts';
import { createBlobs } from '../storage/blobs.ts';
import type { Surroundings } from './run.ts';

/** What an operator's states hold of a key after an epoch, by name, read from its snapshots. */
export async function readState(
  { compiled, blobStore, random, clock, maxParallelism }: Surroundings,
  { state }: Position,
  operator: string,
  key: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const { job, plan } = compiled;
  const stage = plan.stages.find((each) => each.kind === 'operator' && each.operators.includes(operator));
  if (stage === undefined) throw new JobDefinitionError(`job ${job.name} has no keyed operator ${operator}`);
  const [edge] = edgesTo(plan, stage.id);
  const keyBy = edge?.node === undefined ? undefined : job.nodes[edge.node];
  if (keyBy?.kind !== 'keyBy') throw new Error(`stage ${stage.id} is behind no keyBy`);
  const bytes = new ByteWriter();
  keyBy.key.write(key === 0 ? 0 : key, bytes);
  const id = Buffer.from(bytes.view());
  const hash = murmur2(id, 0, id.length);
  const group = keyGroupOf(hash, maxParallelism);
  const facts = (): never => {
    throw new Error('state is read, and nothing is written');
  };
  // As one subtask of all key groups; of the snapshots only those are loaded that have the key's.
  const runtime = createOperatorRuntime(compiled, stage.id, { parallelism: () => 1, maxParallelism, facts }, 0);
  const states = runtime.states.get(operator);
  if (states === undefined) throw new Error(`stage ${stage.id} does not run ${operator}`);
  const deps = { blobs: createBlobs(blobStore, random), clock, random, inlineBlobBytes: 0 };
  for (const ref of ofName(state, operator) ?? [])
    if (ref.keyGroups.first <= group && group <= ref.keyGroups.last)
      states.load(await readSnapshotBlobs(deps, ref, { first: 0, last: maxParallelism - 1 }));
  return states.read(id, hash);
}
