import { isTopic } from '../config/names.ts';
import type { StartingOffsets } from '../config/starting-offsets.ts';
import { serdeFor } from '../format/serde.ts';
import { namesOfSink, renamedSink } from '../sinks/kinds.ts';
import { type JobDefinition, JobDefinitionError, type SinkNode } from './job.ts';

/** What the configuration may change of a job without touching its code. */
export interface GraphOverrides {
  /** By source or sink uid; of a sink of several topics by `uid/topic`. */
  readonly topics?: ReadonlyMap<string, string>;
  /** For every source. */
  readonly startingOffsets?: StartingOffsets | undefined;
}

/** The job with other topics or starting offsets. Throws `JobDefinitionError` when a uid is not one of its sources or sinks. */
export function applyOverrides(job: JobDefinition, overrides: GraphOverrides): JobDefinition {
  const topics = overrides.topics ?? new Map<string, string>();
  const known = job.nodes.flatMap((node) => {
    if (node.kind === 'source') return [node.uid];
    return node.kind === 'sink' ? [...placesOf(node).keys()] : [];
  });
  for (const [place, topic] of topics) {
    if (!known.includes(place))
      throw new JobDefinitionError(
        `topic override ${place}=${topic}: job ${job.name} has no source or sink ${place}; it has ${known.join(', ')}`,
      );
    checkTopic(topic, `topic override of ${place}`);
  }
  const nodes = job.nodes.map((node) => {
    if (node.kind === 'source') {
      const topic = topics.get(node.uid) ?? node.topic;
      const key = serdeFor(node.key, { topic, part: 'key', use: 'read' });
      const value = serdeFor(node.value, { topic, part: 'value', use: 'read' });
      return { ...node, topic, key, value, startingOffsets: overrides.startingOffsets ?? node.startingOffsets };
    }
    return node.kind === 'sink' ? withTopics(node, topics) : node;
  });
  return { name: job.name, nodes };
}

function withTopics(node: SinkNode, topics: ReadonlyMap<string, string>): SinkNode {
  const names = [...placesOf(node)].map(([place, name]) => [name, topics.get(place) ?? name] as const);
  const twice = names.find(([, topic], index) => names.findIndex((other) => other[1] === topic) !== index);
  if (twice !== undefined)
    throw new JobDefinitionError(
      `topic override ${node.uid}/${twice[0]}=${twice[1]}: another topic of sink ${node.uid} is ${twice[1]} too, and each must be one by itself`,
    );
  return names.some(([name, topic]) => name !== topic) ? { ...node, to: renamedSink(node.to, new Map(names)) } : node;
}

/** How the configuration calls the topics of a sink: by its uid, or, of several, each by uid and name. */
function placesOf({ uid, to }: SinkNode): ReadonlyMap<string, string> {
  const names = namesOfSink(to);
  return new Map(names.map((name) => [names.length === 1 ? uid : `${uid}/${name}`, name] as const));
}

/** Throws `JobDefinitionError` when Kafka would refuse the name. */
export function checkTopic(topic: unknown, where: string): void {
  if (typeof topic === 'string' && isTopic(topic)) return;
  throw new JobDefinitionError(`${where}: ${JSON.stringify(topic)} is no Kafka topic name (1 to 249 characters of A-Z a-z 0-9 . _ -)`);
}
