import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** As an author's file imports it. */
const authored = (file: string) =>
  readFileSync(new URL(`./documented/${file}`, import.meta.url), 'utf8')
    .replace('../../../../lib/api/index.ts', 'onceflow')
    .replace('../../../../lib/testing/index.ts', 'onceflow/testing');
/** Which import comes first is a matter of names. */
const sorted = (code: string) => code.split('\n').toSorted();

test('the example of docs/testing.md is the one that is run here', () => {
  const snippets = [...readFileSync('docs/testing.md', 'utf8').matchAll(/^```ts\n(?<code>[\s\S]*?)^```/gm)];
  expect(snippets.map(({ groups }) => sorted(groups?.['code'] ?? ''))).toEqual(
    ['overdue-orders.ts', 'overdue-orders.test.ts'].map((file) => sorted(authored(file))),
  );
});
