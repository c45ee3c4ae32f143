import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutants } from './mutants/mutants.ts';
import { apply } from './mutants/mutate.ts';

it.each(mutants)('the sources hold, once, the line that says: $name', ({ edits }) => {
  const changed = new Map<string, string>();
  for (const edit of edits) {
    const before = changed.get(edit.file) ?? readFileSync(edit.file, 'utf8');
    const after = apply(edit, before);
    expect(after).not.toBe(before);
    changed.set(edit.file, after);
  }
});

it('mutants are named once', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

it('a mutant whose line has gone, or is there twice, fails loudly', () => {
  const edit = { file: 'x.ts', find: 'if (a) return;', replace: '' };
  expect(apply(edit, 'f(); if (a)\n  return; g();')).toBe('f();  g();');
  expect(() => apply(edit, 'if (b) return;')).toThrow(/x.ts holds 0 times/);
  expect(() => apply(edit, 'if (a) return; if (a) return;')).toThrow(/x.ts holds 2 times/);
});
