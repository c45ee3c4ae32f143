import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parameters } from '../../../lib/config/parameters.ts';

/** A call of `describe`, `it` or `test`: the table behind `.each`, if any, which fills in the title, and the title. */
const TITLE =
  /\b(?:describe|it|test)(?:\.each(?:<[^()]*>)?\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\))?\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`)/g;

const titles = globSync('test/**/*.test.ts').flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(TITLE)].map(([, table = '', single, double, template]) =>
    [single ?? double ?? template, table].join(' '),
  ),
);

it.each(Object.values(parameters).map(({ variable }) => variable))('%s has a test that is named after it', (variable) => {
  const named = titles.filter((title) => new RegExp(`${variable}(?![A-Z_])`).test(title));
  expect(named, `no test's title names ${variable}: show what it does, and say so in the title`).not.toEqual([]);
});
