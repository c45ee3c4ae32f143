import { Dice, hashOf } from '../kernel/dice.ts';
import type { TopicChange } from '../models/topic-changes.ts';
import { shapeOf } from '../sim-job.ts';
import type { Part } from './part.ts';

const IN_DOUBT = ['decide', 'commit', 'invoke commit', 'invoke resolve', 'look'];

/**
 * In the seeds about it, sink topics are away for a while when output is in doubt, while other partitions have no leader, or one that is none any
 * more and answers all the same.
 */
export const drawTopicsAway: Part = ({ seed, job, faultsUntilMs }, focus) => {
  if (focus !== 'topics-away') return {};
  const dice = new Dice(hashOf(seed, 'topics away'));
  const topics = [...shapeOf(job).sinks.values()].flat();
  const rate = dice.spread(0.01, 0.1);
  const away = (own: Dice): TopicChange => ({
    ...{ change: 'make-anew', of: 'sink', topic: own.pick(topics), more: 0 },
    afterMs: own.spread(300, 9_000),
  });
  const moved = (own: Dice): TopicChange => ({
    ...{ change: 'move-leader', of: 'sink', topic: own.pick(topics), partition: own.whole(0, 2), behindBatches: own.whole(1, 6) },
    ...{ behindMs: own.spread(1, 1_500), servesMs: own.spread(1, 1_500), unheardMs: own.spread(1, 1_500) },
  });
  return {
    delivery: () => 'exactly-once',
    topicChangeAt: (call) => {
      const own = new Dice(hashOf(seed, `topic away at ${call.id}`));
      if (!IN_DOUBT.includes(call.api) || !own.chance(rate)) return undefined;
      return own.chance(0.5) ? away(own) : moved(own);
    },
    leaderless: Array.from({ length: 20 }, () => ({
      ...{ atMs: dice.between(500, faultsUntilMs), topic: dice.pick(topics), partition: dice.whole(0, 2) },
      forMs: dice.spread(100, 5_000),
    })),
    // What is left open under a producer id that was replaced no client can end, which is another matter (strands.ts).
    expireAtMs: [],
    maxProducerEpoch: 32_767,
    settings: { onMissingEvidence: dice.pick(['stop', 'committed', 'committed', 'lost']) },
  };
};
