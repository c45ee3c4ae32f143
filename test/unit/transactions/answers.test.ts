import { expect, test } from 'vitest';
import { mendOf } from '../../../lib/transactions/answers.ts';

test('a refused sink topic names every right that the transaction needs, READ for the look into its log included', () => {
  const rights = (topic: string) =>
    `grant READ, WRITE and DESCRIBE_CONFIGS on ${topic} (READ because its log shows what became of a transaction)`;
  expect(mendOf('TOPIC_AUTHORIZATION_FAILED')).toBe(rights("the sink's topic"));
  expect(mendOf('TOPIC_AUTHORIZATION_FAILED', 'counts')).toBe(rights('topic counts'));
});
