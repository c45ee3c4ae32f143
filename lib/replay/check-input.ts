import { ofName } from '../config/by-name.ts';
import type { Attempt } from '../epoch/attempt/attempt.ts';
import type { PhysicalPlan, SourceStage } from '../plan/plan.ts';
import type { SourceRequests } from '../ports/kafka-requests.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { ReplayRefusedError } from './refused.ts';

/** Is the input of an epoch there still, in the topics that it was read from? @throws ReplayRefusedError, and KafkaProblem when there is no such topic */
export async function checkInput(
  kafka: Pick<SourceRequests, 'offsets' | 'topicId' | 'partitionCount'>,
  plan: Pick<PhysicalPlan, 'stages'>,
  attempt: Pick<Attempt, 'epoch' | 'ranges'>,
  manifest: Pick<Manifest, 'offsets' | 'topicIds'>,
): Promise<void> {
  for (const stage of plan.stages) {
    if (stage.kind !== 'source') continue;
    checkTopic(stage, attempt, manifest);
    const ranges = (ofName(attempt.ranges, stage.id) ?? []).flat();
    if (ranges.length === 0) continue;
    const { topic } = stage;
    const was = ofName(ofName(manifest.topicIds, stage.id), topic);
    const [count, is] = await Promise.all([kafka.partitionCount(topic), kafka.topicId(topic, 'now')]);
    const where = `epoch ${attempt.epoch} read topic ${topic}`;
    if (was !== undefined && is !== undefined && was !== is)
      throw new ReplayRefusedError(
        `${where} when its id was ${was}, and it is ${is} now: it was made anew, and what the epoch read is gone`,
      );
    const partitions = ranges.map(({ partition }) => partition);
    const missing = partitions.find((partition) => partition >= count);
    if (missing !== undefined)
      throw new ReplayRefusedError(
        `${where}, partition ${missing}, and the topic has ${count} partitions now: it was made anew, and what the epoch read is gone`,
      );
    const starts = await kafka.offsets(topic, partitions, 'earliest');
    for (const [index, { partition, from, bound }] of ranges.entries()) {
      const start = starts[index] ?? 0;
      if (start > from)
        throw new ReplayRefusedError(
          `${where}, partition ${partition}, from offset ${from} to ${bound - 1}, and the log begins at ${start} now: the topic's retention (retention.ms, retention.bytes) must keep input for as long as epochs are to be replayed`,
        );
    }
  }
}

function checkTopic({ id, topic }: SourceStage, { epoch }: Pick<Attempt, 'epoch'>, { offsets }: Pick<Manifest, 'offsets'>): void {
  const topics = Object.keys(ofName(offsets, id) ?? {});
  if (topics.length === 0 || topics.includes(topic)) return;
  throw new ReplayRefusedError(
    `source ${id} of this job reads topic ${topic}, and in epoch ${epoch} it read ${topics.join(', ')}: name that by ONCEFLOW_TOPICS=${id}=${topics[0]}`,
  );
}
