import { describe, expect, it } from 'vitest';
import { callIn, isAction } from '../../../console/server/actions.ts';

const call = (name: string, body: unknown) => {
  if (!isAction(name)) throw new Error(`there is no action ${name}`);
  return callIn(name, typeof body === 'string' ? body : JSON.stringify(body));
};

describe('an action of the page is a call of the command line', () => {
  it.each([
    ['stop', {}, ['stop']],
    ['resume', {}, ['resume']],
    ['savepoint', { name: 'before-2.0' }, ['savepoint', 'create', 'before-2.0']],
    ['rescale', { stage: 'count-words', subtasks: 8 }, ['rescale', 'count-words=8']],
    ['rescale', { stage: 'count-words', subtasks: 'auto' }, ['rescale', 'count-words=auto']],
  ])('%s %j', (name, body, words) => {
    expect(call(name, body)).toEqual({ call: words });
  });

  it.each([
    ['stop', { job: 'another' }],
    ['stop', { timeout: 1 }],
    ['savepoint', {}],
    ['savepoint', { name: '--epoch=1' }],
    ['savepoint', { name: '' }],
    ['savepoint', { name: 'a', epoch: 1 }],
    ['savepoint', { name: ['delete', 'a'] }],
    ['rescale', { stage: '--job=another', subtasks: 1 }],
    ['rescale', { stage: '--json', subtasks: 1 }],
    ['rescale', { stage: 'a=b', subtasks: 1 }],
    ['rescale', { stage: 'count-words', subtasks: 0 }],
    ['rescale', { stage: 'count-words', subtasks: 1.5 }],
    ['rescale', { stage: 'count-words', subtasks: '8' }],
    ['rescale', { stage: 'count-words', subtasks: null }],
    ['stop', 'no JSON'],
    ['stop', 'null'],
    ['stop', '[]'],
  ])('%s takes no %j: no other option can be slipped in', (name, body) => {
    expect(call(name, body)).toEqual({ why: expect.any(String) });
  });

  it('and there is no other', () => {
    for (const name of ['cancel', 'start', 'delete', '__proto__', 'constructor']) expect(isAction(name)).toBe(false);
  });
});
