import { expect, it } from 'vitest';
import { reasonOf } from '../../../lib/ports/reason.ts';

it.each<[string, unknown, string]>([
  ['its message', new Error('no such thing'), 'no such thing'],
  ['of several failures under one, each different one', new AggregateError([new Error('a'), new Error('b'), new Error('a')]), 'a; b'],
  ['without a message, that of its cause', new Error('', { cause: new Error('the cause') }), 'the cause'],
  ['without either, its code', Object.assign(new Error(''), { code: 'ECONNRESET' }), 'ECONNRESET'],
  ['without anything, its name', new TypeError(), 'TypeError'],
  ['what was thrown, when it is no error', 'thrown', 'thrown'],
])('the reason of an error is %s', (_what, error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});
