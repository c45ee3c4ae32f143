import { expect, it } from 'vitest';
import { utf8 } from '../../../lib/api/index.ts';
import { NotPreparedError } from '../../../lib/format/not-prepared.ts';
import { prepared } from '../../../lib/stages/prepared.ts';

it('no record is worked on before every serde is prepared', async () => {
  const done: string[] = [];
  const slow = (name: string, turns: number) => ({
    ...utf8,
    prepare: async () => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      done.push(name);
    },
  });
  const answer = await prepared([slow('first', 9), utf8, slow('second', 3)], async () => {
    done.push('records');
    return 'answer';
  });
  expect(answer).toBe('answer');
  expect(done).toEqual(['second', 'first', 'records']);
});

it('a serde that cannot be prepared fails the attempt, and no record is worked on', async () => {
  const away = { ...utf8, prepare: () => Promise.reject(new Error('the registry is away')) };
  const answer = await prepared([away], () => Promise.reject(new Error('records')));
  expect(answer).toMatchObject({ outcome: 'failed', message: expect.stringContaining('the registry is away') });
});

it('an attempt in which a serde came to lack something counts for nothing, and is made again when that is fetched', async () => {
  const done: string[] = [];
  const answer = await prepared([], async () => {
    const knows = done.includes('fetched');
    done.push('attempt');
    if (!knows)
      new NotPreparedError('a schema', async () => {
        done.push('fetched');
      });
    return knows ? 'of all that there is' : 'of too little';
  });
  expect([answer, done]).toEqual(['of all that there is', ['attempt', 'fetched', 'attempt']]);
});
