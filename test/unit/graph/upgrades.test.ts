import { describe, expect, it } from 'vitest';
import {
  connect,
  defineJob,
  float64,
  int32,
  int64,
  type JobBuilder,
  JobDefinitionError,
  json,
  kafkaSink,
  kafkaSource,
  listState,
  mapState,
  reducingState,
  renamed,
  type Serde,
  type StateSpecs,
  sessionWindows,
  tumblingWindows,
  type Uid,
  utf8,
  valueState,
  versioned,
  withTtl,
} from '../../../lib/api/index.ts';
import { checkCompatible, fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';

type Define = (job: JobBuilder) => void;

const lines = kafkaSource({ topic: 'lines', value: utf8, eventTime: { maxOutOfOrdernessMs: 0 } });
const out = kafkaSink({ topic: 'out', value: utf8 });
const printOf = (define: Define) => fingerprint(describeGraph(defineJob('job', define)));
const keyed = (job: JobBuilder, uid: Uid = 'read', key: Serde<string> = utf8) => job.source(uid, lines).keyBy((line) => line, key);

interface Parts {
  readonly source?: Uid;
  readonly uid?: Uid;
  readonly key?: Serde<string>;
  readonly state?: StateSpecs;
  readonly sink?: string;
}

/** An operator with a state and a sink. */
const job =
  ({ source = 'read', uid = 'count', key = utf8, state = { n: valueState(int64, 0) }, sink = 'write' }: Parts = {}): Define =>
  (builder) =>
    keyed(builder, source, key)
      .process(uid, { state, onRecord() {} })
      .sink(sink, out);

const windows =
  (
    windowed: (stream: ReturnType<typeof keyed>) => { map(fn: (value: unknown) => string): { sink(uid: string, to: typeof out): void } },
  ): Define =>
  (builder) =>
    windowed(keyed(builder)).map(String).sink('write', out);
const sum = { accumulator: int64, initial: 0, add: (n: number) => n + 1, merge: (one: number, other: number) => one + other };
const total = (version: number, older: object = {}) =>
  versioned({ version, serde: json<{ n: number }>(), older } as never) as Serde<unknown>;
const from = (serde: Serde<never>) => ({ serde, migrate: (n: number) => ({ n }) });

describe('a change of a job that has state', () => {
  it.each<[string, Define, Define, RegExp]>([
    [
      'an operator that is gone',
      job(),
      (builder) =>
        keyed(builder)
          .process('other', { state: {}, onRecord() {} })
          .sink('write', out),
      /^keyed operator count is gone, and with it its state n$/,
    ],
    [
      'an operator with another uid, which does not say what it was',
      job(),
      job({ uid: 'tally' }),
      /^keyed operator count is gone, and with it its state n \(if it is tally now: \{ uid: 'tally', formerly: 'count' \} in place of its uid\)$/,
    ],
    [
      'a source with another uid, which does not say what it was',
      job(),
      job({ source: 'lines' }),
      /^source read is gone, and with it its offsets \(if it is lines now: \{ uid: 'lines', formerly: 'read' \}/,
    ],
    ['a sink that is gone', job(), job({ sink: 'other' }), /^sink write is gone$/],
    ['a state that is gone', job({ state: { n: valueState(int64, 0), more: valueState(utf8) } }), job(), /^state of count: more is gone$/],
    [
      'a state with another name, which does not say what it was',
      job(),
      job({ state: { total: valueState(int64, 0) } }),
      /^state of count: n is gone \(if it is total now: renamed\(…, \{ formerly: 'n' \}\) at total\)$/,
    ],
    [
      'a state of another kind',
      job(),
      job({ state: { n: listState(int64) } }),
      /^state of count: n was a value state and is now a list state: keep it as it was, and give the list state another name$/,
    ],
    [
      'a state that is folded otherwise',
      job(),
      job({ state: { n: reducingState(int64, Math.max) } }),
      /was a value state and is now a reducing state/,
    ],
    [
      'another serde, which does not say how that of before is read',
      job(),
      job({ state: { n: valueState(utf8) } }),
      /^state of count: n had serde int64 and has now utf8: say how that is read \(versioned\(/,
    ],
    [
      'another version, which does not say how that of before is read',
      job(),
      job({ state: { n: valueState(total(2)) } }),
      /^state of count: n had serde int64 and has now json@2: say how that is read/,
    ],
    [
      'a version that is not read any more',
      job({ state: { n: valueState(total(2)) } }),
      job({ state: { n: valueState(total(3, { 1: from(int64 as Serde<never>) })) } }),
      /^state of count: n had serde json@2 and has now json@3: say how/,
    ],
    [
      'a version of before',
      job({ state: { n: valueState(total(2)) } }),
      job({ state: { n: valueState(json()) } }),
      /^state of count: n had serde json@2 and has now json: say how/,
    ],
    [
      'another serde of the keys of a map',
      job({ state: { n: mapState(utf8, int64) } }),
      job({ state: { n: mapState(int32, int64) } }),
      /had serde utf8, int64 and has now int32, int64: say how/,
    ],
    [
      'a time to live that comes',
      job(),
      job({ state: { n: withTtl(valueState(int64, 0), { ttlMs: 1 }) } }),
      /has now expiring\(int64\): a time to live neither comes nor goes; give the state with the other one a name of its own$/,
    ],
    [
      'another serde of the keys of a stream, also one that reads those of before',
      job(),
      job({ key: versioned({ version: 2, serde: utf8, older: { 1: { serde: utf8, migrate: (key) => key } } }) }),
      /^key serde of count was utf8 and is now utf8@2: its bytes say where a key's state is, so it cannot be migrated \(write the state anew/,
    ],
    [
      'windows that are cut otherwise',
      windows((stream) => stream.window(tumblingWindows({ sizeMs: 10 })).aggregate('count', sum)),
      windows((stream) => stream.window(tumblingWindows({ sizeMs: 20 })).aggregate('count', sum)),
      /tumbling windows of 20 ms, pane of int64: what is kept is of the windows of then; keep them, or give the operator another uid and leave this one behind/,
    ],
    [
      'windows of another kind',
      windows((stream) => stream.window(sessionWindows({ gapMs: 10 })).aggregate('count', sum)),
      windows((stream) => stream.window(tumblingWindows({ sizeMs: 10 })).aggregate('count', sum)),
      /what is kept is of the windows of then/,
    ],
    [
      'another accumulator of windows',
      windows((stream) => stream.window(tumblingWindows({ sizeMs: 10 })).aggregate('count', sum)),
      windows((stream) => stream.window(tumblingWindows({ sizeMs: 10 })).aggregate('count', { ...sum, accumulator: float64 })),
      /pane of int64 and has now .* pane of float64: say how/,
    ],
    [
      'rows that wait and cross in another serde',
      (builder) =>
        keyed(builder)
          .process('count', { state: {}, inTimeOrder: true, onRecord() {} })
          .sink('write', out),
      (builder) =>
        builder
          .source('read', lines)
          .keyBy((line) => line, utf8, { value: utf8 })
          .process('count', { state: {}, inTimeOrder: true, onRecord() {} })
          .sink('write', out),
      /^state of count: @waiting had serde structured and has now utf8: say how/,
    ],
    [
      'what is broadcast that is kept in another serde',
      (builder) => broadcast(builder, int64 as Serde<unknown>),
      (builder) => broadcast(builder, utf8 as Serde<unknown>),
      /^state of check\.broadcast: limit had serde utf8, int64 and has now utf8, utf8: say how/,
    ],
  ])('%s is refused, with operator, state, both and what mends it', (_, before, after, message) => {
    const answer = checkCompatible(printOf(before), printOf(after));
    expect(answer).toEqual({ outcome: 'incompatible', differences: [expect.stringMatching(message)] });
  });

  it.each<[string, Define, Define, { readonly added?: readonly string[]; readonly renamed?: readonly string[] }]>([
    [
      'an operator that says what it was',
      job(),
      job({ uid: { uid: 'tally', formerly: 'count' } }),
      { renamed: ['keyed operator tally goes on as what count was'] },
    ],
    [
      'one that had several uids, of which it had this one last',
      job(),
      job({ uid: { uid: 'tally', formerly: ['sum', 'count'] } }),
      { renamed: ['keyed operator tally goes on as what count was'] },
    ],
    ['one that says so for good', job({ uid: { uid: 'tally', formerly: 'count' } }), job({ uid: { uid: 'tally', formerly: 'count' } }), {}],
    ['one that does not say it any more', job({ uid: { uid: 'tally', formerly: 'count' } }), job({ uid: 'tally' }), {}],
    [
      'a source that says what it was',
      job(),
      job({ source: { uid: 'lines', formerly: 'read' } }),
      { renamed: ['source lines goes on as what read was'] },
    ],
    [
      'a state that says what it was, of an operator that does too',
      job(),
      job({ uid: { uid: 'tally', formerly: 'count' }, state: { total: renamed(valueState(int64, 0), { formerly: 'n' }) } }),
      { renamed: ['keyed operator tally goes on as what count was', 'state of tally: total goes on as what n was'] },
    ],
    [
      'what is broadcast to an operator with another uid',
      (builder) => broadcast(builder, int64 as Serde<unknown>),
      (builder) => broadcast(builder, int64 as Serde<unknown>, { uid: 'test', formerly: 'check' }),
      { renamed: ['keyed operator test.broadcast goes on as what check.broadcast was'] },
    ],
    ['a serde that reads what was', job(), job({ state: { n: valueState(total(2, { 1: from(int64 as Serde<never>) })) } }), {}],
    [
      'an accumulator of windows that reads what was',
      windows((stream) => stream.window(tumblingWindows({ sizeMs: 10 })).aggregate('count', sum)),
      windows((stream) =>
        stream.window(tumblingWindows({ sizeMs: 10 })).aggregate('count', {
          ...sum,
          accumulator: versioned({ version: 2, serde: float64, older: { 1: { serde: int64, migrate: Number } } }),
        }),
      ),
      {},
    ],
    [
      'a state that expires and reads what was',
      job({ state: { n: withTtl(valueState(int64, 0), { ttlMs: 1 }) } }),
      job({ state: { n: withTtl(valueState(total(2, { 1: from(int64 as Serde<never>) })), { ttlMs: 2 }) } }),
      {},
    ],
    ['what is new', job(), job({ state: { n: valueState(int64, 0), more: valueState(utf8) } }), { added: ['state of count: more is new'] }],
  ])('%s is allowed, and said', (_, before, after, { added = [], renamed = [] }) => {
    const answer = checkCompatible(printOf(before), printOf(after));
    expect(answer).toEqual(added.length + renamed.length === 0 ? { outcome: 'same' } : { outcome: 'changed', added, renamed });
  });
});

function broadcast(builder: JobBuilder, value: Serde<unknown>, uid: Uid = 'check'): void {
  connect({ lines: keyed(builder), limits: builder.source('limits', kafkaSource({ topic: 'limits', value: utf8 })).broadcast() })
    .process(uid, { broadcastState: { limit: mapState(utf8, value) }, on: { lines() {}, limits() {} } })
    .sink('write', out);
}

describe('a job is refused when it is defined', () => {
  it.each<[string, Define, RegExp]>([
    [
      'where an operator was what another is',
      (builder) => both(builder, 'count', { uid: 'tally', formerly: 'count' }),
      /tally says that it was count formerly, and the job has a count/,
    ],
    [
      'where one was itself',
      job({ uid: { uid: 'count', formerly: 'count' } }),
      /count says that it was count formerly, and the job has a count/,
    ],
    [
      'where two were the same',
      (builder) => both(builder, { uid: 'one', formerly: 'count' }, { uid: 'two', formerly: ['sum', 'count'] }),
      /one and two both say that they were count formerly/,
    ],
    [
      'where a former uid could be none',
      job({ uid: { uid: 'tally', formerly: 'Count!' } }),
      /a former uid of tally "Count!" must be 1 to 60 characters/,
    ],
    [
      'where nothing was said',
      job({ uid: { uid: 'tally', formerly: [] } }),
      /formerly is \[\], and must be a name that it had, or several/,
    ],
    [
      'where a state was what another is',
      job({ state: { n: valueState(int64, 0), total: renamed(valueState(int64, 0), { formerly: 'n' }) } }),
      /state total of count says that it was n formerly, and count has a state n/,
    ],
    [
      'where two states were the same',
      job({ state: { a: renamed(valueState(int64, 0), { formerly: 'n' }), b: renamed(valueState(int64, 0), { formerly: 'n' }) } }),
      /state b of count and state a both say that they were n formerly/,
    ],
    [
      'where a state is said twice to have been another',
      job({ state: { a: renamed(renamed(valueState(int64, 0), { formerly: 'n' }), { formerly: 'm' }) } }),
      /its former names are given already/,
    ],
  ])('%s', (_, define, message) => {
    expect(() => defineJob('job', define)).toThrow(JobDefinitionError);
    expect(() => defineJob('job', define)).toThrow(message);
  });
});

function both(builder: JobBuilder, one: Uid, other: Uid): void {
  const stream = keyed(builder);
  stream.sum(one, () => 1);
  stream.sum(other, () => 1);
}
