import type { SimJob } from './jobs.ts';
import { Dice, hashOf } from './kernel/dice.ts';
import type { InputBatch, WorldOptions } from './world-options.ts';

/** What is drawn here, to be laid over what a seed draws besides. */
export type TopicWorld = Required<Pick<WorldOptions, 'topicChanges'>> & {
  /** For partitions that come later. */
  readonly input: readonly InputBatch[];
};

interface Shape {
  readonly job: SimJob;
  readonly inputPartitions: number;
  readonly untilMs: number;
}

/** What is done to the topics of a seed: nothing, in most of them. */
export function drawTopics(seed: number, shape: Shape): TopicWorld {
  return drawGrowth(seed, shape);
}

/** Source topics and sink topics that get more partitions, one at a time; the new ones of a source topic have input. */
function drawGrowth(seed: number, { job, inputPartitions, untilMs }: Shape): TopicWorld {
  const dice = new Dice(hashOf(seed, 'topics that grow'));
  if (!dice.chance(0.2)) return { topicChanges: [], input: [] };
  const sources = Object.values(job.sources);
  const all = [...sources, ...Object.values(job.sinks).map(({ topic }) => topic)];
  const growths = Array.from({ length: dice.whole(1, 3) }, () => ({ atMs: dice.between(200, untilMs * 0.8), topic: dice.pick(all) }));
  growths.sort((one, other) => one.atMs - other.atMs);
  let line = 0;
  const input = growths.flatMap(({ atMs, topic }, index): InputBatch[] => {
    if (!sources.includes(topic)) return [];
    const partition = inputPartitions + growths.slice(0, index).filter((earlier) => earlier.topic === topic).length;
    return Array.from(
      { length: dice.whole(0, 4) },
      (): InputBatch => ({
        atMs: dice.between(atMs, untilMs),
        topic,
        partition,
        lines: Array.from({ length: dice.whole(1, 3) }, () => `${dice.pick(['ant', 'bee', 'auk'])} #g${line++}`),
        how: dice.pick(['plain', 'plain', 'commit', 'abort']),
        endsAfterMs: dice.spread(1, 3_000),
      }),
    );
  });
  return { topicChanges: growths.map(({ atMs, topic }) => ({ atMs, change: { change: 'grow', topic } })), input };
}
