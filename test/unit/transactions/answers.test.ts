import { expect, test } from 'vitest';
import { mendOf } from '../../../lib/transactions/answers.ts';

test('a refused sink topic names every right that the transaction needs, READ for the commit marker included', () => {
  expect(mendOf('TOPIC_AUTHORIZATION_FAILED')).toBe(
    "grant READ, WRITE and DESCRIBE on the sink's topic (READ because the commit marker is an offset of that topic)",
  );
});
