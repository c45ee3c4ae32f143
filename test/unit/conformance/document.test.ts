import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { choices } from '../../conformance/flink/choices.ts';
import { choices as choicesOfJoins } from '../../conformance/joins/choices.ts';

test('docs/conformance.md names each of these tests and choices, and no other', () => {
  // A table of what is compared is no table of rules: what is here stands first in it.
  const rules = [...readFileSync('docs/conformance.md', 'utf8').matchAll(/^\| (?!rule \||here \||`)(?<rule>[^|]+) \|/gm)].map(
    ({ groups }) => groups?.['rule'] ?? '',
  );
  const files = globSync('test/unit/conformance/*.test.ts').filter((file) => !file.endsWith('document.test.ts'));
  const named = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ {2}test\('(?<name>[^']+)'/gm)].map(({ groups }) => groups?.['name'] ?? ''),
  );
  expect(named.length).toBeGreaterThan(50);
  expect(rules.toSorted()).toEqual([...named, ...[...choices, ...choicesOfJoins].map(({ name }) => name)].toSorted());
});
