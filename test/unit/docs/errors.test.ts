import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EXIT, EXIT_WORDS } from '../../../cli/exit-codes.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const sources = globSync(['lib/**/*.ts', 'host/**/*.ts', 'cli/**/*.ts']).map((file) => readFileSync(file, 'utf8'));
const rowsOf = (heading: string) =>
  (page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => /^\| (?!---)/.test(line))
    .slice(1)
    .map((line) => line.split('|').map((cell) => cell.trim()));

it('has every exit code, with what it is', () => {
  const shown = rowsOf('Exit codes').map(([, code = '', is = '']) => [Number(code), is.replaceAll('`', '')]);
  const all = Object.entries(EXIT).map(([name, code]) => [code, EXIT_WORDS[name as keyof typeof EXIT]] as const);
  expect(shown.map(([code]) => code)).toEqual(all.map(([code]) => code));
  for (const [code, words] of all) expect(shown).toContainEqual([code, expect.stringContaining(words)]);
});

it('has every class of errors that the engine throws, and no other', () => {
  const thrown = new Set(
    sources.flatMap((text) => [...text.matchAll(/\bclass (\w+) extends (?:\w*Error)\b/g)].map(([, name = '']) => name)),
  );
  const named = new Set([...page.matchAll(/`([A-Z]\w+(?:Error|Fault|Problem|Token))`/g)].map(([, name = '']) => name));
  expect(thrown.size).toBeGreaterThan(30);
  expect([...thrown].filter((name) => !named.has(name))).toEqual([]);
  expect([...named].filter((name) => !thrown.has(name))).toEqual([]);
});

it('quotes messages as the code has them', () => {
  const phrases = rowsOf('What stops a job').map(([, phrase = '']) => phrase.replaceAll('`', ''));
  expect(phrases.length).toBeGreaterThan(15);
  expect(phrases.filter((phrase) => !sources.some((text) => text.includes(phrase)))).toEqual([]);
});
