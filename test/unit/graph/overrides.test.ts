import { describe, expect, it, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { applyOverrides } from '../../../lib/graph/overrides.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import type { Stage } from '../../../lib/plan/plan.ts';

test('topics and starting offsets are replaced, and the job itself is not changed', () => {
  const plan = compilePlan(wordCount);
  const changed = applyOverrides(wordCount, {
    topics: new Map([
      ['read-lines', 'lines'],
      ['write-counts', 'counts'],
    ]),
    startingOffsets: 'earliest',
  });
  const topicOf = (stage: Stage) =>
    stage.kind === 'source' ? stage.topic : stage.kind === 'sink' && stage.to.kind === 'kafka' ? stage.to.topics[0] : '';
  expect(compilePlan(changed).stages.map(topicOf)).toEqual(['lines', '', 'counts']);
  expect(compilePlan(changed).stages[0]).toMatchObject({ startingOffsets: 'earliest' });
  expect(describeGraph(changed).nodes.at(-1)).toMatchObject({ kind: 'sink', topics: ['counts'] });
  expect(compilePlan(wordCount)).toEqual(plan);
});

test('without overrides nothing changes', () => {
  expect(applyOverrides(wordCount, {})).toEqual(wordCount);
});

test('an override for what the job does not have is refused with what it has', () => {
  expect(() => applyOverrides(wordCount, { topics: new Map([['count-words', 'x']]) })).toThrow(
    'topic override count-words=x: job word-count has no source or sink count-words; it has read-lines, write-counts',
  );
});

test('an override that is no topic name is refused', () => {
  expect(() => applyOverrides(wordCount, { topics: new Map([['read-lines', 'a/b']]) })).toThrow(
    /topic override of read-lines: "a\/b" is no Kafka topic name/,
  );
});

describe('the topics of a sink of several', () => {
  const job = defineJob('job', (builder) =>
    builder
      .source('read', kafkaSource({ topic: 'in', value: utf8 }))
      .sink('route', kafkaSink({ topics: ['as', 'bs'], topic: (value) => value, value: utf8 })),
  );
  const overridden = (...topics: readonly (readonly [string, string])[]) => applyOverrides(job, { topics: new Map(topics) });

  it('are replaced one by one, and the function goes on with the names of the code', () => {
    const changed = overridden(['route/bs', 'test-bs']);
    expect(compilePlan(changed).stages.at(-1)).toMatchObject({ to: { kind: 'kafka', topics: ['as', 'test-bs'] } });
    expect(changed.nodes.at(-1)).toMatchObject({ to: { topics: [{ name: 'as' }, { name: 'bs', topic: 'test-bs' }] } });
  });

  it.each<[string, [string, string], string]>([
    ['by the uid alone', ['route', 'x'], 'job job has no source or sink route; it has read, route/as, route/bs'],
    ['one that it has not', ['route/cs', 'x'], 'job job has no source or sink route/cs'],
    ['by one that it has already', ['route/bs', 'as'], 'topic override route/bs=as: another topic of sink route is as too'],
    ['by no topic', ['route/bs', 'b s'], 'topic override of route/bs: "b s" is no Kafka topic name'],
  ])('%s: refused', (_what, override, message) => {
    expect(() => overridden(override)).toThrow(message);
  });
});
