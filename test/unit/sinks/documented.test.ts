import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Which import comes first is a matter of names. */
const sorted = (code: string) => code.split('\n').toSorted();

test('the functions for PostgreSQL of docs/sinks.md are those that test/integration/postgresql.test.ts runs', () => {
  const snippets = [...readFileSync('docs/sinks.md', 'utf8').matchAll(/^```ts\n(?<code>[\s\S]*?)^```/gm)].map(
    ({ groups }) => groups?.['code'] ?? '',
  );
  const run = readFileSync('test/support/postgresql-sinks.ts', 'utf8').replace('../../lib/api/index.ts', 'onceflow');
  expect(snippets.filter((code) => code.includes('onceflow_ledger')).map(sorted)).toEqual([sorted(run)]);
});
