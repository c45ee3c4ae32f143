import { expect, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { planStages, stageOf } from '../../../lib/graph/stages.ts';

const sinkTo = (topic: string) => kafkaSink({ topic, value: utf8 });

test('the word count has a source, an operator and a sink stage', () => {
  expect(planStages(wordCount)).toEqual({
    job: 'word-count',
    stages: [
      {
        kind: 'source',
        id: 'read-lines',
        topic: 'flink_kafka',
        startingOffsets: 'latest',
        inputs: [],
        operators: [],
        exchanges: ['count-words'],
        sinks: [],
      },
      { kind: 'operator', id: 'count-words', inputs: ['read-lines'], operators: ['count-words'], exchanges: [], sinks: ['write-counts'] },
      { kind: 'sink', id: 'write-counts', topic: 'flink_kafka2', inputs: ['count-words'], operators: [], exchanges: [], sinks: [] },
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

test('a dead-letter topic is one more sink behind every source, and no part of the graph', () => {
  const before = describeGraph(branching);
  const { stages } = planStages(branching, 'dead');
  expect(stages.at(-1)).toEqual({
    kind: 'sink',
    id: 'dead-letters',
    topic: 'dead',
    inputs: ['lines', 'others'],
    operators: [],
    exchanges: [],
    sinks: [],
  });
  expect(stages.filter(({ kind }) => kind === 'source').map(({ sinks }) => sinks)).toEqual([
    ['copy', 'dead-letters'],
    ['others-copy', 'dead-letters'],
  ]);
  expect(stages.slice(0, -1).map(({ id }) => id)).toEqual(planStages(branching).stages.map(({ id }) => id));
  expect(describeGraph(branching)).toEqual(before);
});

test('a dead-letter topic that the job reads or writes is refused, and a uid that is taken', () => {
  expect(() => planStages(branching, 'others')).toThrow(
    'ONCEFLOW_DEAD_LETTER_TOPIC=others is the topic of source others of job branching: records that are left out need a topic of their own',
  );
  expect(() => planStages(branching, 'lasts')).toThrow('ONCEFLOW_DEAD_LETTER_TOPIC=lasts is the topic of sink lasts of job branching');
  const taken = defineJob('taken', (job) => {
    job.source('lines', kafkaSource({ topic: 'lines', value: utf8 })).sink('dead-letters', sinkTo('copy'));
  });
  expect(planStages(taken).stages).toHaveLength(2);
  expect(() => planStages(taken, 'dead')).toThrow(
    'the uid dead-letters is that of the sink of ONCEFLOW_DEAD_LETTER_TOPIC; give yours another',
  );
});

test('operators behind one keyBy are one stage, each keyBy is an exchange, each sink a stage', () => {
  const brief = planStages(branching).stages.map(({ id, kind, inputs, operators, exchanges, sinks }) => [
    id,
    kind,
    inputs.join(),
    operators.join(),
    exchanges.join(),
    sinks.join(),
  ]);
  expect(brief).toEqual([
    ['lines', 'source', '', '', 'sum,tails', 'copy'],
    ['copy', 'sink', 'lines', '', '', ''],
    ['sum', 'operator', 'lines', 'sum,last', 'by-length', 'lasts'],
    ['lasts', 'sink', 'sum', '', '', ''],
    ['by-length', 'operator', 'sum', 'by-length', '', ''],
    ['tails', 'operator', 'lines', 'tails', '', ''],
    ['others', 'source', '', '', '', 'others-copy'],
    ['others-copy', 'sink', 'others', '', '', ''],
  ]);
});

test('graph and plan survive JSON', () => {
  const graph = describeGraph(branching);
  const plan = planStages(branching);
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
  const plan = planStages(wordCount);
  expect(stageOf(plan, 'count-words').kind).toBe('operator');
  expect(() => stageOf(plan, 'nope')).toThrow('job word-count has no stage nope; its stages are read-lines, count-words, write-counts');
});
