import { expect, it } from 'vitest';
import { isAuthorized, tokensIn } from '../../../lib/workers/token.ts';
import { functionPath, targetIn } from '../../../lib/workers/words.ts';

const TOKEN = 'a-token-of-sixteen-characters';
const OTHER = 'another-token-of-that-kind';

it('a file of tokens has one a line, long enough to be no guess, and without spaces', () => {
  expect(tokensIn(`${TOKEN}\n\n  ${OTHER} \n`)).toEqual([TOKEN, OTHER]);
  for (const wrong of ['', '\n \n', 'short', 'a token with spaces in it', `${TOKEN}\nshort`, `${TOKEN}é`])
    expect(tokensIn(wrong)).toBeUndefined();
});

it('a request is let in with any of the tokens, whole and in that form, and with nothing else', () => {
  const tokens = [TOKEN, OTHER];
  for (const token of tokens) expect(isAuthorized(`Bearer ${token}`, tokens)).toBe(true);
  for (const wrong of [undefined, '', TOKEN, 'Bearer ', `bearer ${TOKEN}`, `Bearer ${TOKEN.slice(0, -1)}`, `Bearer ${TOKEN}x`])
    expect(isAuthorized(wrong, tokens)).toBe(false);
  expect(isAuthorized(`Bearer ${TOKEN}`, [])).toBe(false);
});

it('the path of a function names its target, and no other path does', () => {
  for (const role of ['source', 'operator', 'sink'] as const) {
    const target = { role, stage: 'a/b c%.ü', subtask: 17 };
    expect(targetIn(functionPath(target))).toEqual(target);
  }
  for (const wrong of [
    '/',
    '/functions',
    '/functions/cook/x/0',
    '/functions/sink/x',
    '/functions/sink/x/-1',
    '/functions/sink/%zz/0',
    '/functions/sink/x/0/y',
  ])
    expect(targetIn(wrong)).toBeUndefined();
});
