import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { TestSpecification } from 'vitest/node';
import LongestFirst, { LONGEST } from '../../setup/longest-first.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test('the files that are named as the longest are there, and named once', () => {
  expect(LONGEST.filter((file) => !existsSync(ROOT + file))).toEqual([]);
  expect(new Set(LONGEST).size).toBe(LONGEST.length);
});

test('on a clean clone the longest of a project are the first of it, and projects come one after the other', async () => {
  const project = (name: string) => ({ name, config: { sequence: { groupOrder: 0 }, isolate: false } });
  const [chaos, integration] = [project('chaos'), project('integration')];
  const files = [
    [integration, 'test/integration/sinks.test.ts'],
    [chaos, 'test/chaos/outages.test.ts'],
    [integration, 'test/integration/job/control.test.ts'],
    [integration, 'test/integration/session.test.ts'],
    [chaos, 'test/chaos/all-sinks.test.ts'],
  ] as const;
  const specifications = files.map(([of, file]) => ({ project: of, moduleId: ROOT + file }) as unknown as TestSpecification);
  const nothingKnown = { cache: { getTestSpecificationResult: () => undefined } } as unknown as ConstructorParameters<
    typeof LongestFirst
  >[0];
  const sorted = await new LongestFirst(nothingKnown).sort(specifications);
  expect(sorted.map(({ moduleId }) => moduleId.slice(ROOT.length))).toEqual([
    'test/chaos/all-sinks.test.ts',
    'test/chaos/outages.test.ts',
    'test/integration/session.test.ts',
    'test/integration/job/control.test.ts',
    'test/integration/sinks.test.ts',
  ]);
});
