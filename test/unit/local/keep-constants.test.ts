import { expect, it } from 'vitest';
import { keepConstants } from '../../../local/functions/keep-constants.ts';

it('what a module declares once and never changes is a constant again', () => {
  expect(keepConstants('var A = 1;\nvar Box = class {\n};\nvar $f = () => A === 2;\nuse(A, Box, $f);\n')).toBe(
    'const A = 1;\nconst Box = class {\n};\nconst $f = () => A === 2;\nuse(A, Box, $f);\n',
  );
});

it.each([
  ['is assigned to later', 'var a = 1;\nfunction f() {\n  a = 2;\n}\n'],
  ['is counted up', 'var a = 1;\nfunction f() {\n  return a++;\n}\n'],
  ['is counted down in front', 'var a = 1;\nf(--a);\n'],
  ['is added to', 'var a = 1;\na += 2;\n'],
  ['is set where it is missing', 'var a = f();\na ??= 2;\n'],
  ['is taken out of an array', 'var a = 1;\n[a, b] = f();\n'],
  ['is taken out of an object', 'var a = 1;\n({ a, b } = f());\n'],
  ['is declared twice', 'var a = 1;\nvar a = 2;\n'],
  ['has no value where it is declared', 'var a;\nvar b, c = 1;\n'],
  ['is of a function', 'function f() {\n  var a = 1;\n}\n'],
])('what %s stays a variable', (_how, text) => {
  expect(keepConstants(text)).toBe(text);
});

it('a name that is part of another, a property of that name, and a comparison do not keep it from being one', () => {
  const rest = 'ab = 2;\nthis.a = 3;\nf(a == 1, a === 1, a => a);\n';
  expect(keepConstants(`var a = 1;\n${rest}`)).toBe(`const a = 1;\n${rest}`);
});
