import { inCluster } from '../config/clusters.ts';
import { type JobDefinition, JobDefinitionError, type JobNode } from '../graph/job.ts';
import { targetOf, topicsOfSink } from '../sinks/kinds.ts';
import { type Edge, edgeBetween, type PhysicalPlan, type SinkStage } from './plan.ts';

/*
 * Dead letters are the side output `errors` of every source stage, and lead to a sink. Three things set them apart, and all
 * that knows of them is here: the configuration adds them, so that a job may have the sink in one run and not in the next; what
 * their topic refuses cannot go there; and what is left out counts by itself.
 */

/** The side output of a source stage that has the records which cannot be processed. */
export const ERRORS = 'errors';

const SINK = 'dead-letters';

/** The plan with a sink of dead letters behind every source. Throws `JobDefinitionError` when the job itself uses the topic or the uid. */
export function withDeadLetters(plan: PhysicalPlan, job: JobDefinition, topic: string): PhysicalPlan {
  checkTopicAndUid(job, topic);
  // Of dead letters there are few: one transaction in an epoch is enough for them.
  const sink: SinkStage = { kind: 'sink', id: SINK, to: { kind: 'kafka', topics: [topic] }, subtasks: 1 };
  const edges = plan.stages.flatMap(({ kind, id }) =>
    kind === 'source' ? [edgeBetween({ from: id, to: SINK, input: 0, how: 'sink', tag: ERRORS })] : [],
  );
  return { ...plan, stages: [...plan.stages, sink], edges: [...plan.edges, ...edges] };
}

/** Are records that cannot be processed left out in this run, or do they stop the job? */
export function leavesOut({ edges }: Pick<PhysicalPlan, 'edges'>): boolean {
  return edges.some(isOfErrors);
}

export function isOfErrors({ tag }: Pick<Edge, 'tag'>): boolean {
  return tag === ERRORS;
}

/** Is it the sink that records go to which are left out, in whatever run? */
export function takesDeadLetters(sink: string): boolean {
  return sink === SINK;
}

/** The topics that a source reads or a sink writes. */
function topicsOf(node: JobNode): readonly string[] {
  if (node.kind === 'source') return [inCluster(node.cluster, node.topic)];
  return node.kind === 'sink' ? topicsOfSink(targetOf(node.to)) : [];
}

function checkTopicAndUid(job: JobDefinition, topic: string): void {
  for (const node of job.nodes) {
    if ('uid' in node && node.uid === SINK)
      throw new JobDefinitionError(
        `job ${job.name}: the uid ${SINK} is that of the sink of ONCEFLOW_DEAD_LETTER_TOPIC; give yours another`,
      );
    if (topicsOf(node).includes(topic) && 'uid' in node)
      throw new JobDefinitionError(
        `ONCEFLOW_DEAD_LETTER_TOPIC=${topic} is a topic of ${node.kind} ${node.uid} of job ${job.name}: records that are left out need a topic of their own`,
      );
  }
}
