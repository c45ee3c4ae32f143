import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import {
  defineJob,
  int64,
  json,
  kafkaSink,
  kafkaSource,
  type ListState,
  type ListStateSpec,
  listState,
  type MapState,
  type MapStateSpec,
  mapState,
  type Output,
  type ReducingStateSpec,
  reducingState,
  type StateHandles,
  type StateSpecs,
  utf8,
  type ValueStateSpec,
  valueState,
  withTtl,
} from '../../../lib/api/index.ts';
import { type BlobKind, openBlob, sealBlob } from '../../../lib/format/blob.ts';
import { ExchangeReader } from '../../../lib/format/exchange-reader.ts';
import { murmur2 } from '../../../lib/format/murmur2.ts';
import { checkCompatible, fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { parseManifest } from '../../../lib/protocol/manifest.ts';
import { decodeStagedOutput } from '../../../lib/sinks/kafka/staged-output.ts';
import { decodeHead, partOf, snapshotOfPart } from '../../../lib/state/snapshot/head.ts';
import type { StateSet } from '../../../lib/state/state-set.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from '../operators/runtimes.ts';

/* What a build before kinds wrote of this job: see test/fixtures/README.md. */

const FIXTURE = new URL('../../fixtures/formats-1.json', import.meta.url);
const before = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Record<
  'fingerprint' | 'exchange' | 'output' | 'base' | 'delta' | 'manifest',
  string
>;
const opened = (kind: BlobKind, base64: string) => openBlob(kind, Buffer.from(base64, 'base64'), kind);
const stored = [opened('state', before.base), opened('state', before.delta)];

const job = defineJob('words', (builder) => {
  builder
    .source('read-lines', kafkaSource({ topic: 'in', value: utf8 }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0), lines: valueState(json<string[]>(), []) },
      onRecord(word, { count, lines }, out: Output<string>) {
        out.emit(`${word}:::${count.update((n) => n + 1)} ${lines.get()}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'out', value: utf8 }));
});
const context = stageContext({ partitions: 1 });

/** Counts the words on top of a restore from these payloads, and gives what it would write and the next delta. */
function goOn(payloads: readonly Buffer[], line: string) {
  const source = createSourceRuntime(compiled(job), 'read-lines', context);
  const operator = createOperatorRuntime(compiled(job), 'count-words', context, 0);
  const state = operator.states.get('count-words');
  state?.load(payloads);
  source.begin();
  source.consume('in', 0, recordSet([{ value: line }]), { from: 0, to: 1, aborted: [] });
  operator.begin();
  operator.consume(throughBlob(partsTo(source.finish(), 'count-words')[0] ?? []));
  const written = stagedValues(operator.finish(), 'write-counts').map((text) => Buffer.from(text ?? '', 'latin1').toString('utf8'));
  return { written, delta: Buffer.concat(state?.takeDelta() ?? []), size: state?.size };
}

test('state of a build before kinds is read, its deltas too, and goes on in the format of this one', () => {
  const first = goOn(stored, 'hello gone ü other');
  expect(first.written).toEqual(['hello:::4 hello,hello,hello', 'gone:::1 ', 'ü:::2 ', 'other:::1 ']);
  expect(first.size).toBe(6);
  const then = openBlob('state', Buffer.concat(sealBlob('state', [first.delta])), 'delta');
  expect(goOn([...stored, then], 'hello gone world').written).toEqual(['hello:::5 hello,hello,hello', 'gone:::2 ', 'world:::2 world']);
});

test('a part of a snapshot of a build before kinds is one of this build', () => {
  const [base] = stored as [Buffer];
  const { head, end } = decodeHead(base, 'base');
  expect(head.states).toEqual([
    { name: 'count', kind: 'value', serdes: ['int64'] },
    { name: 'lines', kind: 'value', serdes: ['json'] },
  ]);
  const [first, ...others] = head.groups.map(({ keyGroup }) => keyGroup);
  const range = { first: others[0] ?? 0, last: 127 };
  const { start, end: partEnd } = partOf(head, range);
  const part = snapshotOfPart(head, range, base.subarray(end + start, end + partEnd), 'base');
  expect(decodeHead(part, 'part').head).toEqual({ ...head, groups: head.groups.filter(({ keyGroup }) => keyGroup !== first) });
  expect(goOn([part], 'new').size).toBe(head.groups.length);
});

test('exchange, staged output and manifest of a build before kinds are read', () => {
  const exchange = new ExchangeReader();
  exchange.open(opened('exchange', before.exchange), 'exchange');
  expect(exchange.rows).toBe(3);
  expect(decodeStagedOutput(opened('output', before.output), 'output').map(({ topic }) => topic)).toEqual(['out']);
  const manifest = parseManifest(JSON.parse(opened('manifest', before.manifest).toString('utf8')), 'manifest');
  expect(manifest.state['count-words']?.[0]?.deltas).toEqual([{ at: 'inline', base64: before.delta }]);
});

test('the fingerprint of a build before kinds is that of the same graph now', () => {
  const now = fingerprint(describeGraph(job));
  expect(now).not.toBe(before.fingerprint);
  expect(checkCompatible(before.fingerprint, now)).toEqual({ outcome: 'same' });
});

describe('of a build that knew value and list states alone', () => {
  const kinds = JSON.parse(readFileSync(new URL('../../fixtures/formats-2.json', import.meta.url), 'utf8')) as Record<
    'fingerprint' | 'base' | 'delta',
    string
  >;
  const payloads = [opened('state', kinds.base), opened('state', kinds.delta)];
  const before = { count: valueState(int64, 0), words: listState(utf8), lengths: listState(json<{ length: number }>()) };
  const withStates = (state: StateSpecs) =>
    defineJob('kinds', (builder) => {
      builder
        .source('read-lines', kafkaSource({ topic: 'in', value: utf8 }))
        .keyBy((word) => word.slice(0, 1), utf8)
        .process('keep', { state, onRecord() {} });
    });

  it('state is read, and goes on; a map that is added is empty', () => {
    const definition = withStates({ ...before, seen: mapState(utf8, int64) });
    const state = createOperatorRuntime(compiled(definition), 'keep', context, 0).states.get('keep');
    if (state === undefined) throw new Error('no state');
    state.load(payloads);
    const at = (key: string) => {
      const bytes = Buffer.from(key);
      state.keys.current = state.keys.numberOf(bytes, 0, bytes.length, murmur2(bytes, 0, bytes.length));
      const { words, lengths, seen } = state.handles as {
        words: ListState<string>;
        lengths: ListState<{ length: number }>;
        seen: MapState<string, number>;
      };
      return { words, lengths, seen };
    };
    const all = () => ['a', 'b', 'c', 'ü'].map((key) => [...at(key).words].join(' '));
    expect(all()).toEqual(['ant= auk ape', 'bug', 'cow', 'üb']);
    expect([...at('b').lengths].map(({ length }) => length)).toEqual([3, 3, 2, 3]);
    expect(at('a').seen.size).toBe(0);
    at('a').seen.set('x', 1);
    at('a').words.add('asp');
    const copy = createOperatorRuntime(compiled(definition), 'keep', context, 0).states.get('keep');
    copy?.load([...payloads, Buffer.concat(state.takeDelta())]);
    expect(Buffer.concat(copy?.takeBase() ?? [])).toEqual(Buffer.concat(state.takeBase()));
    expect(all()[0]).toBe('ant= auk ape asp');
  });

  it('the fingerprint is what this build writes of the same graph; kinds may be added, and none may become another', () => {
    const print = (state: StateSpecs) => fingerprint(describeGraph(withStates(state)));
    expect(print(before)).toBe(kinds.fingerprint);
    expect(checkCompatible(kinds.fingerprint, print({ ...before, seen: mapState(utf8, int64) })).outcome).toBe('changed');
    const changed = checkCompatible(kinds.fingerprint, print({ ...before, words: mapState(utf8, utf8) }));
    expect(JSON.stringify(changed)).toContain('was a list state and is now a map state');
  });
});

describe('of the first build whose state expires', () => {
  const aging = JSON.parse(readFileSync(new URL('../../fixtures/formats-3.json', import.meta.url), 'utf8')) as Record<
    'fingerprint' | 'base' | 'delta',
    string
  >;
  const ttl = { ttlMs: 100 };
  const definition = defineJob('aging', (builder) => {
    builder
      .source('read-lines', kafkaSource({ topic: 'in', value: utf8 }))
      .keyBy((word) => word.slice(0, 1), utf8)
      .process('keep', {
        state: {
          count: withTtl(valueState(int64, 0), ttl),
          last: withTtl(valueState(json<{ word: string }>(), { word: 'none' }), ttl),
          words: withTtl(listState(utf8), ttl),
          lengths: withTtl(mapState(utf8, int64), ttl),
          longest: withTtl(
            reducingState(utf8, (one, other) => (other.length > one.length ? other : one)),
            ttl,
          ),
          ever: valueState(int64, 0),
        },
        onRecord(word, { count, last, words, lengths, longest, ever }, out: Output<string>) {
          count.update((n) => n + 1);
          last.set({ word });
          words.add(word);
          if (lengths.size < 3) lengths.set(word, word.length);
          longest.add(word);
          out.emit(`${word}, ${ever.update((n) => n + 1)}`);
        },
      });
  });
  /** Works on words at a processing time, on top of these payloads; answers what is there of a key then. */
  const stateBehind = (payloads: readonly Buffer[], processingMs: number, words: readonly string[] = []) => {
    const source = createSourceRuntime(compiled(definition), 'read-lines', context);
    const operator = createOperatorRuntime(compiled(definition), 'keep', context, 0);
    const state = operator.states.get('keep') as StateSet;
    state.load(payloads);
    operator.begin({ processingMs });
    if (words.length > 0) {
      source.begin(undefined, undefined, { processingMs });
      source.consume('in', 0, recordSet(words.map((value) => ({ value }))), { from: 0, to: words.length, aborted: [] });
      operator.consume(throughBlob(partsTo(source.finish(), 'keep')[0] ?? []));
    }
    operator.finish();
    const at = (key: string) => {
      const bytes = Buffer.from(key);
      state.keys.current = state.keys.numberOf(bytes, 0, bytes.length, murmur2(bytes, 0, bytes.length));
      const { count, last, words, lengths, longest, ever } = state.handles as StateHandles<{
        count: ValueStateSpec<number, number>;
        last: ValueStateSpec<{ word: string }, { word: string }>;
        words: ListStateSpec<string>;
        lengths: MapStateSpec<string, number>;
        longest: ReducingStateSpec<string>;
        ever: ValueStateSpec<number, number>;
      }>;
      return `${count.get()} ${last.get().word}: ${[...words]}; ${[...lengths].join(' ')}; ${longest.get()}; ${ever.get()}`;
    };
    return { state, at };
  };
  const payloads = [opened('state', aging.base), opened('state', aging.delta)];

  it('state is read, as old as it was, and goes on', () => {
    const { at } = stateBehind(payloads, 1_149);
    expect(['a', 'b', 'c'].map(at)).toEqual([
      '2 antelope: ape,antelope; antelope,8 ape,3; antelope; 4',
      '4 bug: bat,bee,bug; bat,3 bee,3 bug,3; bee; 4',
      '0 none: ; ; undefined; 1',
    ]);
    expect(stateBehind(payloads, 1_150).at('b')).toBe('4 bug: bug; bug,3; bee; 4');
    expect(stateBehind(payloads, 1_220).at('a')).toBe('0 none: ; ; undefined; 4');
    const after = stateBehind(payloads, 1_150, ['bee']);
    expect(after.at('b')).toBe('5 bee: bug,bee; bee,3 bug,3; bee; 5');
    const delta = Buffer.concat(after.state.takeDelta());
    expect(stateBehind([...payloads, delta], 1_150).at('b')).toBe('5 bee: bug,bee; bee,3 bug,3; bee; 5');
  });

  it('the fingerprint is what this build writes of the same graph', () => {
    expect(fingerprint(describeGraph(definition))).toBe(aging.fingerprint);
  });
});
