import { expect, test } from 'vitest';
import { inTurn } from '../../../bench/harness/turns.ts';

test('runs alternate, and who begins does: none is always behind the same other', () => {
  const turns = inTurn([{ peer: 'old' }, { peer: 'new' }], 3).map(({ peer, run }) => `${run} ${peer}`);
  expect(turns).toEqual(['1 old', '1 new', '2 new', '2 old', '3 old', '3 new']);
});
