import { expect, test } from 'vitest';
import { isPassing, kindOf, worstOf } from '../../../../lib/ports/broker-answers.ts';
import { mendOf } from '../../../../lib/sinks/kafka/answers.ts';

test('a refused sink topic names every right that the transaction needs, READ for the look into its log included', () => {
  const rights = (topic: string) =>
    `grant READ, WRITE and DESCRIBE_CONFIGS on ${topic} (READ because its log shows what became of a transaction)`;
  expect(mendOf('TOPIC_AUTHORIZATION_FAILED')).toBe(rights("the sink's topic"));
  expect(mendOf('TOPIC_AUTHORIZATION_FAILED', 'counts')).toBe(rights('topic counts'));
});

test.each(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING'] as const)(
  '%s says that somebody newer owns the id: nothing is repeated under this identity',
  (answer) => expect(kindOf(answer)).toBe('fenced'),
);

test('an answer that nobody has heard of is no reason to trust the transaction', () => {
  expect(kindOf('OUT_OF_ORDER_SEQUENCE_NUMBER')).toBe('failed');
});

test.each([
  ['UNKNOWN_TOPIC_OR_PARTITION', true],
  ['TOPIC_AUTHORIZATION_FAILED', false],
] as const)('of partitions of which one is answered %s, and the others were not tried for it, that one is what counts', (why, passes) => {
  for (const answers of [
    ['OPERATION_NOT_ATTEMPTED', why],
    [why, 'OPERATION_NOT_ATTEMPTED', 'NONE'],
  ] as const)
    expect(worstOf(answers)).toBe(why);
  expect(isPassing(worstOf(['OPERATION_NOT_ATTEMPTED', why]))).toBe(passes);
});
