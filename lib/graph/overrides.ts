import { isTopic } from '../config/names.ts';
import type { StartingOffsets } from '../config/starting-offsets.ts';
import { serdeFor } from '../format/serde.ts';
import { renamedSink } from '../sinks/connectors.ts';
import { type JobDefinition, JobDefinitionError, type SinkNode } from './job.ts';

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
  const known = job.nodes.flatMap((node) => (node.kind === 'source' || (node.kind === 'sink' && hasTopic(node)) ? [node.uid] : []));
  for (const [uid, topic] of topics) {
    if (!known.includes(uid))
      throw new JobDefinitionError(
        `topic override ${uid}=${topic}: job ${job.name} has no source or sink ${uid}; it has ${known.join(', ')}`,
      );
    checkTopic(topic, `topic override of ${uid}`);
  }
  const nodes = job.nodes.map((node) => {
    if (node.kind === 'source') {
      const topic = topics.get(node.uid) ?? node.topic;
      const key = serdeFor(node.key, { topic, part: 'key', use: 'read' });
      const value = serdeFor(node.value, { topic, part: 'value', use: 'read' });
      return { ...node, topic, key, value, startingOffsets: overrides.startingOffsets ?? node.startingOffsets };
    }
    const topic = node.kind === 'sink' ? topics.get(node.uid) : undefined;
    return node.kind === 'sink' && topic !== undefined ? { ...node, to: renamedSink(node.to, topic) ?? node.to } : node;
  });
  return { name: job.name, nodes };
}

function hasTopic({ to }: SinkNode): boolean {
  return renamedSink(to, '') !== undefined;
}

/** Throws `JobDefinitionError` when Kafka would refuse the name. */
export function checkTopic(topic: string, where: string): void {
  if (isTopic(topic)) return;
  throw new JobDefinitionError(`${where}: ${JSON.stringify(topic)} is no Kafka topic name (1 to 249 characters of A-Z a-z 0-9 . _ -)`);
}
