import { describe, expect, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { defineJob, int64, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import type { JobDefinition, JobNode } from '../../../lib/graph/job.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import { stageOf } from '../../../lib/plan/plan.ts';

const sinkTo = (topic: string) => kafkaSink({ topic, value: utf8 });

test('the word count has a source, an operator and a sink stage, and an edge between each two', () => {
  expect(compilePlan(wordCount)).toEqual({
    job: 'word-count',
    stages: [
      { kind: 'source', id: 'read-lines', topic: 'flink_kafka', startingOffsets: 'latest' },
      { kind: 'operator', id: 'count-words', operators: ['count-words'] },
      { kind: 'sink', id: 'write-counts', to: { kind: 'kafka', topics: ['flink_kafka2'] } },
    ],
    edges: [
      { id: 'read-lines>count-words.0', from: 'read-lines', to: 'count-words', input: 0, how: 'key', node: 2 },
      { id: 'count-words>write-counts.0', from: 'count-words', to: 'write-counts', input: 0, how: 'sink', node: 4 },
    ],
  });
});

const branching = defineJob('branching', (job) => {
  const lines = job.source('lines', kafkaSource({ topic: 'lines', value: utf8, startingOffsets: 'earliest' })).map((line) => line.trim());
  lines.sink('copy', sinkTo('copy'));
  const keyed = lines.keyBy((line) => line, utf8);
  const sums = keyed.sum('sum', () => 1);
  keyed.reduce('last', (_, line) => line, utf8).sink('lasts', sinkTo('lasts'));
  sums.keyBy(({ key }) => key.length, { ...utf8, name: 'length' } as never).sum('by-length', ({ sum }) => sum);
  lines.keyBy((line) => line.slice(1), utf8).sum('tails', () => 1);
  job.source('others', kafkaSource({ topic: 'others', value: utf8 })).sink('others-copy', sinkTo('others-copy'));
});

test('a dead-letter topic is a side output of every source that leads to one more sink, and no part of the graph', () => {
  const before = describeGraph(branching);
  const without = compilePlan(branching);
  const { stages, edges } = compilePlan(branching, 'dead');
  expect(stages).toEqual([...without.stages, { kind: 'sink', id: 'dead-letters', to: { kind: 'kafka', topics: ['dead'] }, subtasks: 1 }]);
  const side = { to: 'dead-letters', input: 0, how: 'sink', tag: 'errors' };
  expect(edges).toEqual([
    ...without.edges,
    { id: 'lines#errors>dead-letters.0', from: 'lines', ...side },
    { id: 'others#errors>dead-letters.0', from: 'others', ...side },
  ]);
  expect(describeGraph(branching)).toEqual(before);
});

test('a dead-letter topic that the job reads or writes is refused, and a uid that is taken', () => {
  expect(() => compilePlan(branching, 'others')).toThrow(
    'ONCEFLOW_DEAD_LETTER_TOPIC=others is a topic of source others of job branching: records that are left out need a topic of their own',
  );
  expect(() => compilePlan(branching, 'lasts')).toThrow('ONCEFLOW_DEAD_LETTER_TOPIC=lasts is a topic of sink lasts of job branching');
  const taken = defineJob('taken', (job) => {
    job.source('lines', kafkaSource({ topic: 'lines', value: utf8 })).sink('dead-letters', sinkTo('copy'));
  });
  expect(compilePlan(taken).stages).toHaveLength(2);
  expect(() => compilePlan(taken, 'dead')).toThrow(
    'the uid dead-letters is that of the sink of ONCEFLOW_DEAD_LETTER_TOPIC; give yours another',
  );
});

test('operators behind one keyBy are one stage, each keyBy is an edge by key, each sink a stage behind one', () => {
  const { stages, edges } = compilePlan(branching);
  expect(stages.map((stage) => [stage.id, stage.kind === 'operator' ? stage.operators.join() : stage.kind])).toEqual([
    ['lines', 'source'],
    ['copy', 'sink'],
    ['sum', 'sum,last'],
    ['lasts', 'sink'],
    ['by-length', 'by-length'],
    ['tails', 'tails'],
    ['others', 'source'],
    ['others-copy', 'sink'],
  ]);
  expect(edges.map(({ id, how }) => `${id} ${how}`)).toEqual([
    'lines>copy.0 sink',
    'lines>sum.0 key',
    'sum>lasts.0 sink',
    'sum>by-length.0 key',
    'lines>tails.0 key',
    'others>others-copy.0 sink',
  ]);
});

/** The nodes of `job`, each with the inputs that are named for it. */
function withInputs(job: JobDefinition, inputs: Readonly<Record<number, readonly number[]>>): JobDefinition {
  return {
    ...job,
    nodes: job.nodes.map((node): JobNode => (node.kind === 'source' ? node : { ...node, inputs: inputs[node.id] ?? node.inputs })),
  };
}

describe('nodes with several inputs', () => {
  // 0 left, 1 keyBy, 2 count, 3 sink; 4 right, 5 keyBy, 6 other, 7 sink
  const two = defineJob('two', (job) => {
    const count = (uid: 'left' | 'right', operator: string) =>
      job
        .source(uid, kafkaSource({ topic: uid, value: utf8 }))
        .keyBy((line) => line, utf8)
        .sum(operator, () => 1)
        .map(({ key }) => key)
        .sink(`${uid}-out`, sinkTo(`${uid}-out`));
    count('left', 'count');
    count('right', 'other');
  });

  test('a keyed operator behind two keyBys is one stage with two inputs, behind all that lead to it', () => {
    const [byLeft, byRight, other] = [1, 6, 7];
    const { stages, edges } = compilePlan(withInputs(two, { [other]: [byLeft, byRight] }));
    expect(stages.map(({ id }) => id)).toEqual(['left', 'right', 'count', 'left-out', 'right-out']);
    expect(stages.find(({ id }) => id === 'count')).toMatchObject({ operators: ['count', 'other'] });
    expect(edges.map(({ id }) => id)).toEqual(['left>count.0', 'count>left-out.0', 'count>right-out.0', 'right>count.1']);
  });

  test('what reads two sources runs in the stages of both, and is an edge from each', () => {
    const { edges } = compilePlan(union);
    expect(edges.map(({ id }) => id)).toEqual(['left>count.0', 'right>count.0', 'count>out.0']);
  });

  const union = withInputs(
    defineJob('union', (builder) => {
      builder.source('left', kafkaSource({ topic: 'left', value: utf8 }));
      builder
        .source('right', kafkaSource({ topic: 'right', value: utf8 }))
        .map((line) => line)
        .keyBy((line) => line, utf8)
        .process('count', { state: {}, onRecord: () => {} })
        .sink('out', sinkTo('out'));
    }),
    { 2: [0, 1] },
  );
});

describe('nodes that do not go together', () => {
  const job = defineJob('odd', (builder) => {
    builder
      .source('lines', kafkaSource({ topic: 'lines', value: utf8 }))
      .map((line) => line)
      .keyBy((line) => line, utf8)
      .sum('sum', () => 1);
  });

  test('a keyed operator without a keyBy before it is refused', () => {
    expect(() => compilePlan(withInputs(job, { 3: [2, 1] }))).toThrow(
      'job odd: sum reads map (node 1) behind lines, and process needs a keyBy before it',
    );
  });

  test('anything else behind a keyBy is refused, and not dropped', () => {
    const more = { kind: 'map', id: 4, inputs: [2], fn: () => undefined } as const;
    expect(() => compilePlan({ ...job, nodes: [...job.nodes, more] })).toThrow(
      'job odd: map (node 4) behind lines reads keyBy (node 2) behind lines, and behind a keyBy there is nothing but keyed operators, no map',
    );
  });

  test('keyBys of one stage with other serdes for the key are refused', () => {
    const again = { ...(job.nodes[2] as Extract<JobNode, { kind: 'keyBy' }>), id: 4, inputs: [1], key: int64 as never };
    const both = { ...(job.nodes[3] as Extract<JobNode, { kind: 'process' }>), id: 5, uid: 'both', inputs: [2, 4] };
    expect(() => compilePlan({ ...job, nodes: [...job.nodes, again, both] })).toThrow(
      'job odd: stage sum is reached by keys of serde utf8 and of serde int64; the keys of one stage have one serde',
    );
  });
});

test('graph and plan survive JSON', () => {
  const graph = describeGraph(branching);
  const plan = compilePlan(branching);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  expect(JSON.parse(JSON.stringify(graph)).edges).toEqual(graph.edges);
  expect(graph.nodes.map((node) => node.id)).toEqual(branching.nodes.map((_, index) => index));
  expect(graph.edges).toContainEqual({ from: 0, to: 1 });
  expect(graph.nodes[0]).toEqual({
    id: 0,
    kind: 'source',
    uid: 'lines',
    topic: 'lines',
    startingOffsets: 'earliest',
    key: undefined,
    value: 'utf8',
  });
});

test('a stage that the plan does not have is named with those it has', () => {
  const plan = compilePlan(wordCount);
  expect(stageOf(plan, 'count-words').kind).toBe('operator');
  expect(() => stageOf(plan, 'nope')).toThrow('job word-count has no stage nope; its stages are read-lines, count-words, write-counts');
});
