import { isTopic } from '../config/names.ts';
import type { StartingOffsets } from '../config/starting-offsets.ts';
import { type JobDefinition, JobDefinitionError } from './job.ts';

/** What the configuration may change of a job without touching its code. */
export interface GraphOverrides {
  /** By source or sink uid. */
  readonly topics?: ReadonlyMap<string, string>;
  /** For every source. */
  readonly startingOffsets?: StartingOffsets | undefined;
}

/** The job with other topics or starting offsets. Throws `JobDefinitionError` when a uid is not one of its sources or sinks. */
export function applyOverrides(job: JobDefinition, overrides: GraphOverrides): JobDefinition {
  const topics = overrides.topics ?? new Map<string, string>();
  const known = job.nodes.flatMap((node) => (node.kind === 'source' || node.kind === 'sink' ? [node.uid] : []));
  for (const [uid, topic] of topics) {
    if (!known.includes(uid))
      throw new JobDefinitionError(
        `topic override ${uid}=${topic}: job ${job.name} has no source or sink ${uid}; it has ${known.join(', ')}`,
      );
    checkTopic(topic, `topic override of ${uid}`);
  }
  const nodes = job.nodes.map((node) => {
    if (node.kind === 'source') {
      return { ...node, topic: topics.get(node.uid) ?? node.topic, startingOffsets: overrides.startingOffsets ?? node.startingOffsets };
    }
    return node.kind === 'sink' ? { ...node, topic: topics.get(node.uid) ?? node.topic } : node;
  });
  return { name: job.name, nodes };
}

/** Throws `JobDefinitionError` when Kafka would refuse the name. */
export function checkTopic(topic: string, where: string): void {
  if (isTopic(topic)) return;
  throw new JobDefinitionError(`${where}: ${JSON.stringify(topic)} is no Kafka topic name (1 to 249 characters of A-Z a-z 0-9 . _ -)`);
}
