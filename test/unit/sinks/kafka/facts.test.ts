import { expect, it } from 'vitest';
import { MalformedError } from '../../../../lib/protocol/malformed.ts';
import type { Own } from '../../../../lib/protocol/shape.ts';
import { commitTerms, kafkaFacts, prepareTerms } from '../../../../lib/sinks/kafka/facts.ts';

/*
 * They come back as JSON from a coordinator that may run another build: a partition count that is not there, say, would choose
 * partition NaN for every record.
 */

const facts = { topic: 'out', partitions: 3, maxBatchBytes: 1_000, compacted: false };
const ofPrepare = { topics: ['out'], transactionTimeoutMs: 60_000 };
const ofCommit = { compacted: ['out'] };
const ofFacts = (given: Own) => kafkaFacts({ topics: [given] }, 'write');

it('what the connector says itself is taken as it is', () => {
  const several = {
    topics: [
      { ...facts, partitions: 1, maxBatchBytes: 1, compacted: true },
      { ...facts, topic: 'other' },
    ],
  };
  expect(kafkaFacts(several, 'write')).toEqual(several);
  expect(prepareTerms({ topics: ['out', 'other'], transactionTimeoutMs: 1 })).toEqual({
    topics: ['out', 'other'],
    transactionTimeoutMs: 1,
  });
  expect(commitTerms({ compacted: [] })).toEqual({ compacted: [] });
  expect(commitTerms({ ...ofCommit, transactionTimeoutMs: 0 })).toEqual({ compacted: ['out'], transactionTimeoutMs: 0 });
});

it.each<[string, (given: Own) => unknown, Own, string]>([
  ['facts without a topic', ofFacts, { ...facts, topic: '' }, 'of the topics of sink write is not what .* topics.0.topic: '],
  ['facts without partitions', ofFacts, { ...facts, partitions: 0 }, 'of the topics of sink write is not what .* topics.0.partitions: '],
  ['facts that do not name them', ofFacts, { ...facts, partitions: undefined }, 'partitions: '],
  ['facts with no room for a record', ofFacts, { ...facts, maxBatchBytes: 0 }, 'maxBatchBytes: '],
  ['facts that do not say if a topic is compacted', ofFacts, { ...facts, compacted: undefined }, 'compacted: '],
  ['a prepare without topics', prepareTerms, { ...ofPrepare, topics: undefined }, 'what a prepare was told is not what .* topics: '],
  ['a prepare without time', prepareTerms, { ...ofPrepare, transactionTimeoutMs: 0 }, 'transactionTimeoutMs: '],
  ['a commit that does not say what is compacted', commitTerms, {}, 'what a commit was told is not what .* compacted: '],
  ['a commit of a topic without a name', commitTerms, { compacted: [''] }, 'compacted.0: '],
  ['a commit with less than no time', commitTerms, { ...ofCommit, transactionTimeoutMs: -1 }, 'transactionTimeoutMs: '],
])('%s: refused, with what is wrong', (_what, take, given, message) => {
  expect(() => take(given)).toThrow(MalformedError);
  expect(() => take(given)).toThrow(new RegExp(message));
});
