import { describe, expect, it } from 'vitest';
import type { KeptCase } from '../../conformance/joins/case.ts';
import { choices } from '../../conformance/joins/choices.ts';
import { type Difference, differenceOf } from '../../conformance/joins/compare.ts';
import { ours } from '../../conformance/joins/ours.ts';
import { expectedOf } from '../../conformance/joins/questions.ts';
import { readKept } from '../../conformance/kept.ts';

/* What Flink and Kafka Streams give is written down: `npm run conformance:joins` asks them, and draws new cases. */

const kept = readKept<KeptCase>('joins.jsonl');

it('joins, tables and rankings give what Flink and Kafka Streams give', async () => {
  const differences: Difference[] = [];
  for (const { asked, peer, answer } of kept) {
    const difference = differenceOf(asked, peer, answer, await ours(asked));
    if (difference !== undefined) differences.push(difference);
  }
  expect(differences).toEqual([]);
});

it('the kept cases are of every kind and peer, and something comes late in some', () => {
  const kinds = kept.map(({ asked, peer }) => `${asked.kind} ${'type' in asked ? `${asked.type} ` : ''}by ${peer}`);
  expect([...new Set(kinds)].toSorted()).toEqual([
    'asOf inner by Flink',
    'asOf inner by Kafka Streams',
    'asOf left by Flink',
    'asOf left by Kafka Streams',
    'broadcast by Flink',
    'deduplicate by Flink',
    'interval inner by Flink',
    'interval inner by Kafka Streams',
    'interval left by Flink',
    'interval left by Kafka Streams',
    'table inner by Flink',
    'table inner by Kafka Streams',
    'table left by Flink',
    'table left by Kafka Streams',
    'tables full by Kafka Streams',
    'tables inner by Kafka Streams',
    'tables left by Kafka Streams',
    'top by Flink',
    'window by Flink',
  ]);
  expect(
    kept.some(({ asked, peer, answer }) =>
      expectedOf(asked, peer, answer)
        .flat()
        .some((text) => text.includes(' late ')),
    ),
  ).toBe(true);
});

describe('where Onceflow means to do otherwise', () => {
  it.each(choices)('$name', async ({ asked, ours: should, theirs }) => {
    expect(await ours(asked)).toEqual(should);
    expect(should).not.toEqual(theirs);
  });
});
