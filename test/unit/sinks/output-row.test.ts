import { expect, it } from 'vitest';
import { utf8 } from '../../../lib/api/index.ts';
import { rowOf } from '../../../lib/sinks/output-row.ts';

it('a row is what the serde of its sink reads in all of its bytes', () => {
  expect(rowOf('folder', Buffer.from('hello'), utf8)).toMatchObject({ place: 'folder', identity: 'hello', value: 'hello' });
});

it('one that no serde reads is text, or its bytes where it is none', () => {
  const bytes = Buffer.from([0xff, 0xfe]);
  expect([rowOf('', Buffer.from('text'), undefined).value, rowOf('', bytes, undefined).value]).toEqual(['text', bytes]);
});
