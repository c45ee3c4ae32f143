import type { JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import type { Call } from '../kernel/faults.ts';
import type { TopicChange } from '../models/topic-changes.ts';
import { type SimJob, shapeOf } from '../sim-job.ts';
import type { InputBatch, WorldOptions } from '../world-options.ts';
import type { Part } from './part.ts';

interface Shape {
  readonly job: SimJob;
  readonly inputPartitions: number;
  readonly untilMs: number;
  /** Source topics are made anew, and it is while they are about to be read. */
  readonly makesSourcesAnew: boolean;
}

/** What is done to topics: nothing, in most seeds. Partitions that come later have input of their own. */
export const drawTopics: Part = ({ seed, job, inputPartitions, faultsUntilMs, input }, focus) => {
  const shape: Shape = { job, inputPartitions, untilMs: faultsUntilMs, makesSourcesAnew: focus === 'sources-anew' };
  const growth = drawGrowth(seed, shape);
  const kinds = [drawAnew(seed, shape), drawSourcesAnew(seed, shape), drawDeletions(seed, shape), drawMoves(seed, shape)];
  return {
    topicChanges: [growth, ...kinds].flatMap(({ topicChanges }) => topicChanges),
    topicChangeAt: (call) => {
      for (const { topicChangeAt } of kinds) {
        const change = topicChangeAt?.(call);
        if (change !== undefined) return change;
      }
      return undefined;
    },
    replicationMs: drawReplication(seed),
    input: [...input, ...growth.input],
    settings: Object.assign({}, ...kinds.map(({ settings }) => settings)),
  };
};

type Timed = NonNullable<WorldOptions['topicChanges']>[number];

/** When it matters most that a sink's topic is another one: around a decision, and while its commit is in doubt. */
const WHILE_UNCOMMITTED = ['decide', 'commit', 'invoke commit', 'invoke resolve', 'look', 'recordSentAgain', 'raiseGeneration'];

interface Kind {
  readonly topicChanges: readonly Timed[];
  readonly topicChangeAt: WorldOptions['topicChangeAt'];
  readonly settings: Pick<Partial<JobSettings>, 'onMissingEvidence' | 'onDataLoss'>;
}

const NOTHING: Kind = { topicChanges: [], topicChangeAt: undefined, settings: {} };

function isMadeAnew(seed: number): boolean {
  return new Dice(hashOf(seed, 'topics made anew')).chance(0.08);
}

/** Sink topics that somebody deletes and makes anew. What the job says to that is in its settings, or a person's business. */
function drawAnew(seed: number, { job, untilMs }: Shape): Kind {
  if (!isMadeAnew(seed)) return NOTHING;
  const dice = new Dice(hashOf(seed, 'topics made anew: how'));
  const topics = [...shapeOf(job).sinks.values()].flat();
  const drawn = (own: Dice): TopicChange => ({
    change: 'make-anew',
    of: 'sink',
    topic: own.pick(topics),
    afterMs: own.spread(20, 8_000),
    more: own.chance(0.8) ? 0 : 1,
  });
  const topicChanges = Array.from({ length: dice.whole(0, 2) }, () => ({ atMs: dice.between(500, untilMs * 0.8), change: drawn(dice) }));
  const rate = dice.spread(0.005, 0.05);
  const topicChangeAt = (call: Call) => {
    const own = new Dice(hashOf(seed, `topic made anew at ${call.id}`));
    return WHILE_UNCOMMITTED.includes(call.api) && own.chance(rate) ? drawn(own) : undefined;
  };
  return { topicChanges, topicChangeAt, settings: { onMissingEvidence: dice.pick(['stop', 'stop', 'committed', 'lost']) } };
}

/** When it matters most that input is gone: it was planned, or is being read, or nobody reads it at the moment. */
const WHILE_UNREAD = ['offsets', 'invoke read', 'fetch', 'raiseGeneration'];

/** Source topics that somebody deletes and makes anew, now and then with more in them than the job had read. */
function drawSourcesAnew(seed: number, { job, untilMs, makesSourcesAnew: isAbout }: Shape): Kind {
  const dice = new Dice(hashOf(seed, 'source topics made anew'));
  if (!dice.chance(0.05) && !isAbout) return NOTHING;
  const topics = [...shapeOf(job).sources.values()];
  const drawn = (own: Dice): TopicChange => ({
    change: 'make-anew',
    of: 'source',
    topic: own.pick(topics),
    afterMs: isAbout ? own.spread(1, 100) : own.spread(20, 4_000),
    more: own.chance(0.8) ? 0 : 1,
    refill: Array.from({ length: own.pick([0, 2, 12, 40]) }, () => `${own.pick(['ant', 'bee'])} #r${own.whole(0, 1_000_000_000)}`),
  });
  const topicChanges = Array.from({ length: dice.whole(1, 2) }, () => ({ atMs: dice.between(500, untilMs * 0.9), change: drawn(dice) }));
  const rate = dice.spread(0.0005, 0.01) * (isAbout ? 10 : 1);
  const topicChangeAt = (call: Call) => {
    const own = new Dice(hashOf(seed, `source topic made anew at ${call.id}`));
    return WHILE_UNREAD.includes(call.api) && own.chance(rate) ? drawn(own) : undefined;
  };
  return { topicChanges, topicChangeAt, settings: { onDataLoss: dice.pick(['stop', 'earliest']) } };
}

/** Retention, or somebody, deletes the beginnings of logs: of sink topics (not where they are made anew), or of source topics. */
function drawDeletions(seed: number, { job, inputPartitions, untilMs }: Shape): Kind {
  const dice = new Dice(hashOf(seed, 'records deleted'));
  const what = dice.next();
  if (what > 0.16 || (what < 0.08 && isMadeAnew(seed))) return NOTHING;
  const isSink = what < 0.08;
  const topics = isSink ? [...shapeOf(job).sinks.values()].flat() : [...shapeOf(job).sources.values()];
  const drawn = (own: Dice): TopicChange => ({
    change: 'delete-records',
    of: isSink ? 'sink' : 'source',
    topic: own.pick(topics),
    partition: own.whole(0, isSink ? 2 : inputPartitions),
    left: own.chance(0.6) ? 0 : own.next(),
  });
  const topicChanges = Array.from({ length: dice.whole(0, 4) }, () => ({ atMs: dice.between(200, untilMs * 0.9), change: drawn(dice) }));
  const rate = isSink ? dice.spread(0.01, 0.15) : dice.spread(0.002, 0.05);
  const topicChangeAt = (call: Call) => {
    const own = new Dice(hashOf(seed, `records deleted at ${call.id}`));
    return (isSink ? WHILE_UNCOMMITTED : WHILE_UNREAD).includes(call.api) && own.chance(rate) ? drawn(own) : undefined;
  };
  return { topicChanges, topicChangeAt, settings: isSink ? {} : { onDataLoss: dice.pick(['stop', 'earliest']) } };
}

function topicOf(topic: string, sources: readonly string[]): Pick<TopicChange, 'topic' | 'of'> {
  return { topic, of: sources.includes(topic) ? 'source' : 'sink' };
}

/** When it matters most who answers, and how much of the log is shown. */
const WHILE_ASKED = ['look', 'search', 'describeProducers', 'commit', 'initProducerId', 'invoke commit', 'fetch', 'produce', 'offsets'];

/** Partitions whose leader moves: it takes a while until everybody knows, and until the new one shows all that it has. */
function drawMoves(seed: number, { job, untilMs }: Shape): Kind {
  const dice = new Dice(hashOf(seed, 'leaders that move'));
  if (!dice.chance(0.25)) return NOTHING;
  const sources = [...shapeOf(job).sources.values()];
  const topics = [...sources, ...[...shapeOf(job).sinks.values()].flat()];
  const drawn = (own: Dice): TopicChange => ({
    change: 'move-leader',
    ...topicOf(own.pick(topics), sources),
    partition: own.whole(0, 2),
    behindMs: own.chance(0.7) ? own.spread(1, 1_500) : 0,
    behindBatches: own.whole(1, 6),
    servesMs: own.chance(0.5) ? own.spread(1, 1_500) : 0,
    unheardMs: own.chance(0.5) ? own.spread(1, 1_500) : 0,
  });
  const topicChanges = Array.from({ length: dice.whole(1, 10) }, () => ({ atMs: dice.between(100, untilMs * 0.9), change: drawn(dice) }));
  const rate = dice.spread(0.001, 0.05);
  const topicChangeAt = (call: Call) => {
    const own = new Dice(hashOf(seed, `leader moves at ${call.id}`));
    return WHILE_ASKED.includes(call.api) && own.chance(rate) ? drawn(own) : undefined;
  };
  return { topicChanges, topicChangeAt, settings: {} };
}

/** How slowly the replicas follow: at once, in most seeds. */
function drawReplication(seed: number): [number, number] | undefined {
  const dice = new Dice(hashOf(seed, 'replicas that follow'));
  return dice.chance(0.15) ? [0.1, dice.spread(1, 400)] : undefined;
}

/** Source topics and sink topics that get more partitions, one at a time; the new ones of a source topic have input. */
function drawGrowth(
  seed: number,
  { job, inputPartitions, untilMs }: Shape,
): { readonly topicChanges: readonly Timed[]; readonly input: readonly InputBatch[] } {
  const dice = new Dice(hashOf(seed, 'topics that grow'));
  if (!dice.chance(0.2)) return { topicChanges: [], input: [] };
  const sources = [...shapeOf(job).sources.values()];
  const all = [...sources, ...[...shapeOf(job).sinks.values()].flat()];
  const growths = Array.from({ length: dice.whole(1, 3) }, () => ({
    atMs: dice.between(200, untilMs * 0.8),
    topic: dice.pick(all),
    unheardMs: dice.chance(0.5) ? dice.spread(10, 3_000) : 0,
  }));
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
  return {
    topicChanges: growths.map(({ atMs, topic, unheardMs }) => ({
      atMs,
      change: { change: 'grow', ...topicOf(topic, sources), unheardMs },
    })),
    input,
  };
}
