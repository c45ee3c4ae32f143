import { setFlagsFromString } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { int64, valueState } from '../../../lib/api/index.ts';
import { byName, handlesByName, ofName } from '../../../lib/config/by-name.ts';
import { openSideOutputs } from '../../../lib/operators/side-outputs.ts';
import { RecordScope } from '../../../lib/state/record-scope.ts';
import { StateSet } from '../../../lib/state/state-set.ts';

const states = ['count', 'seen'].map((name) => valueState(int64, 0).declare(name, `state ${name}`));
const NAMES = ['constructor', '__proto__', 'count'];

describe.each([
  ['byName', byName],
  ['handlesByName', handlesByName],
])('%s', (_, make) => {
  test('holds every name that it is given, those that every object has among them', () => {
    const map = make(NAMES.map((name) => [name, `of ${name}`] as const));
    expect(Object.keys(map)).toEqual(NAMES);
    expect(NAMES.map((name) => ofName(map, name))).toEqual(NAMES.map((name) => `of ${name}`));
  });

  test('holds nothing else', () => {
    const map = make([['count', 1]]);
    expect(map['constructor']).toBeUndefined();
    expect(map['toString']).toBeUndefined();
  });
});

test('what a job reads by name at each record is a struct to V8, not a hash table', () => {
  setFlagsFromString('--allow-natives-syntax');
  const isStruct = new Function('map', 'return %HasFastProperties(map)') as (map: object) => boolean;
  expect(isStruct(byName([['count', 1]]))).toBe(false);
  const { handles } = new StateSet({ uid: 'count-words', states, maxParallelism: 1, keyGroups: { first: 0, last: 0 } });
  expect(isStruct(handles)).toBe(true);
  const place = { scope: new RecordScope(), keys: { current: 0 }, side: () => () => {} };
  expect(isStruct(openSideOutputs('count-words', ['late', 'odd'], place))).toBe(true);
});
