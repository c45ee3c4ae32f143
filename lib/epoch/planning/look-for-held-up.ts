import { type CoordinatorDeps, type JobSettings, sourceStages } from '../coordinator/context.ts';

/**
 * Says how many offsets of the source topics lie behind their last stable offsets: transactions of whoever writes there are open, and
 * nobody can read what is behind them. Planning does not see it, for there is nothing to read: a transaction upstream that hangs would
 * look like a job that has nothing to do.
 */
export async function lookForHeldUp({ kafka, observe }: CoordinatorDeps, settings: JobSettings): Promise<void> {
  const topics = [...new Set(sourceStages(settings).map(({ topic }) => topic))];
  const held = await Promise.all(
    topics.map(async (topic) => {
      const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
      // The high watermark first: what is stable by then is not counted.
      const highWatermarks = await kafka.offsets(topic, partitions, 'end');
      const stable = await kafka.offsets(topic, partitions, 'latest');
      return highWatermarks.map((end, partition) => Math.max(0, end - (stable[partition] ?? end)));
    }),
  );
  const records = held.flat().reduce((sum, count) => sum + count, 0);
  if (records > 0) observe({ event: 'held-up', records });
}
