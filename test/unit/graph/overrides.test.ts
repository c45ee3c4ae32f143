import { expect, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
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
    stage.kind === 'source' ? stage.topic : stage.kind === 'sink' && stage.to.kind === 'kafka' ? stage.to.topic : '';
  expect(compilePlan(changed).stages.map(topicOf)).toEqual(['lines', '', 'counts']);
  expect(compilePlan(changed).stages[0]).toMatchObject({ startingOffsets: 'earliest' });
  expect(describeGraph(changed).nodes.at(-1)).toMatchObject({ kind: 'sink', topic: 'counts' });
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
