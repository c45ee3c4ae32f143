import { describe, expect, it } from 'vitest';
import { type CoordinatorDeps, JobFailedError } from '../../../lib/epoch/coordinator/context.ts';
import { checkState } from '../../../lib/epoch/start/check-state.ts';
import { underNewNames } from '../../../lib/epoch/start/new-names.ts';
import { PAYLOAD_OFFSET } from '../../../lib/format/blob.ts';
import type { PhysicalPlan } from '../../../lib/plan/plan.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';
import { headBytes } from '../../../lib/state/snapshot/head.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { manifestOf } from '../cli/rows.ts';
import { storedAs as blob, snapshotOf as snapshot } from './stored-as.ts';

const NEVER = new AbortController().signal;
const ids = { id: () => 'a', fraction: () => 0 };
const blobs = createBlobs(
  { get: async () => Buffer.alloc(0), put: async () => {}, delete: async () => {}, list: async function* () {} } as never,
  ids,
);

const identity = (states: object, formerly?: object, uid = 'count') =>
  JSON.stringify({
    version: 2,
    sources: ['read'],
    sinks: [],
    operators: { [uid]: { key: 'utf8', states } },
    ...(formerly && { formerly }),
  });
const plan = (uid = 'count', source = 'read') =>
  ({
    stages: [
      { kind: 'source', id: source },
      { kind: 'operator', id: uid, operators: [uid] },
    ],
    edges: [],
  }) as unknown as PhysicalPlan;
const value = (serde = 'int64', more: object = {}) => ({ kind: 'value', serdes: [serde], ...more });

function check(of: {
  readonly state: Record<string, SnapshotRef[]>;
  readonly now: string;
  readonly before?: string;
  readonly isOwn?: boolean;
  readonly plan?: PhysicalPlan;
}) {
  const deps = { blobs, clock: { elapsedMs: () => 0 }, random: ids, observe: () => {} } as unknown as CoordinatorDeps;
  const manifest = { offsets: { read: { lines: [1] } }, state: of.state };
  const epoch = { what: 'epoch 7', manifest, fingerprint: of.before ?? of.now, isOwn: of.isOwn ?? false };
  return checkState(deps, { plan: of.plan ?? plan(), fingerprint: of.now }, epoch, NEVER);
}

describe('an epoch that a job is to go on from', () => {
  it('is whatever the job knows and reads, in every blob', async () => {
    const now = identity({ n: value('json@2', { reads: [['int64']], formerly: ['count'] }) });
    const state = { count: [snapshot([{ name: 'count' }], [{ name: 'n' }], [{ name: 'n', serde: 'json@2' }])] };
    await expect(check({ state, now })).resolves.toBeUndefined();
  });

  it.each<[string, Parameters<typeof check>[0], RegExp]>([
    [
      'has state of an operator that the job does not know',
      { state: { other: [snapshot([{ name: 'n' }])] }, now: identity({ n: value() }), isOwn: true },
      /^epoch 7 has the state of other, which this job does not know, and would leave it behind: say what it is now \(\{ uid: 'NEW', formerly: 'other' \}\), .* \(--drop other\)$/,
    ],
    [
      'has a state that the job does not know, in one blob',
      { state: { count: [snapshot([{ name: 'n' }], [{ name: 'old' }])] }, now: identity({ n: value() }) },
      /^epoch 7 has state old of count, which this job does not know, .*renamed\(…, \{ formerly: 'old' \}\)/,
    ],
    [
      'has a part that was written in a version that is not read any more',
      { state: { count: [snapshot([{ name: 'n' }], [{ name: 'n', serde: 'json@2' }])] }, now: identity({ n: value('json@2') }) },
      /^epoch 7: a part of state n of count was not written since it was another one: it had serde int64 and has now json@2: say how that is read/,
    ],
    [
      'has a part that is of another kind',
      { state: { count: [snapshot([{ name: 'n', kind: 'list' }])] }, now: identity({ n: value() }) },
      /^epoch 7: state n of count was a list state and is now a value state$/,
    ],
    [
      'has a part under a former name, which another state has by now',
      {
        state: { count: [snapshot([{ name: 'n' }], [{ name: 'total' }])] },
        before: identity({ total: value('int64', { formerly: ['n'] }) }),
        now: identity({ total: value(), n: value() }),
      },
      /^epoch 7 has state total of count under the name n, which is another state's in this job: keep n in `formerly` of total, and give the new state another name$/,
    ],
    [
      'has a part under a former name, which another state has by now, in an operator that has another uid',
      {
        state: { tally: [snapshot([{ name: 'n' }], [{ name: 'total' }])] },
        before: identity({ total: value('int64', { formerly: ['n'] }) }),
        now: identity({ total: value(), n: value() }, { tally: ['count'] }, 'tally'),
        plan: plan('tally'),
      },
      /^epoch 7 has state total of tally under the name n, which is another state's in this job: keep n in `formerly` of total/,
    ],
    [
      'has a blob that is damaged',
      {
        state: {
          count: [{ ...snapshot([]), base: { at: 'store', name: 'word-count/inc/state/count/count-0-000000000007-a', bytes: 105 } }],
        },
        now: identity({ n: value() }),
      },
      /^epoch 7: blob word-count\/\S+ .*cannot be used: it ends before byte 105.* changed by something other than the job: give the blob back, or start from/,
    ],
    [
      'has offsets of a source that the job does not know',
      { state: {}, now: identity({ n: value() }), plan: plan('count', 'lines'), isOwn: true },
      /^epoch 7 has the offsets of source read, which this job does not know/,
    ],
  ])('is refused when it %s', async (_, of, message) => {
    await expect(check(of)).rejects.toThrow(JobFailedError);
    await expect(check(of)).rejects.toThrow(message);
  });

  it('may have been one of an operator that kept nothing', async () => {
    const empty: SnapshotRef = { id: 's', keyGroups: { first: 0, last: 127 }, base: blob([], true), deltas: [] };
    await expect(check({ state: { other: [empty] }, now: identity({ n: value() }) })).resolves.toBeUndefined();
  });

  it('is not looked into where the job has read it before', async () => {
    const state = { count: [snapshot([{ name: 'old' }])] };
    await expect(check({ state, now: identity({ n: value() }), isOwn: true })).resolves.toBeUndefined();
  });
});

describe('an epoch under the names of a job', () => {
  const { base } = snapshot([{ name: 'n' }]);
  const refs: SnapshotRef[] = [{ id: 's', keyGroups: { first: 0, last: 127 }, base, deltas: [] }];
  const manifest = manifestOf(7, {
    state: { count: refs, 'count.broadcast': refs },
    topicIds: { read: { lines: 'id' } },
    parallelism: { read: 2, count: 3, write: 1 },
    time: {
      ...{ processingMs: 5, sources: { read: { partitions: {} } }, stages: { count: 9 } },
      late: { count: { dropped: 1, passedOn: 0 } },
    },
  });
  const now = (formerly: object) => ({ fingerprint: identity({ n: value() }, formerly) });

  it('is itself where all has its name', () => {
    expect(underNewNames(manifest, now({}))).toBe(manifest);
    expect(underNewNames(manifest, now({ tally: ['other'] }))).toBe(manifest);
  });

  it('has all that was kept under a former uid under that of now', () => {
    const named = underNewNames(manifest, now({ tally: ['sum', 'count'], lines: ['read'] }));
    expect(named).toEqual({
      ...manifest,
      offsets: { lines: { lines: [10, 20] } },
      topicIds: { lines: { lines: 'id' } },
      state: { tally: refs, 'tally.broadcast': refs },
      parallelism: { lines: 2, tally: 3, write: 1 },
      time: {
        ...{ processingMs: 5, sources: { lines: { partitions: {} } }, stages: { tally: 9 } },
        late: { tally: { dropped: 1, passedOn: 0 } },
      },
    });
    // And a second time there is nothing to do.
    expect(underNewNames(named, now({ tally: ['sum', 'count'], lines: ['read'] }))).toBe(named);
  });

  it('has nothing put in the place of what is there', () => {
    const both = { ...manifest, state: { count: refs, tally: refs } };
    expect(underNewNames(both, now({ tally: ['count'] }))).toBe(both);
  });
});

describe('the head of a snapshot in the store', () => {
  const START = 4_096;

  /** State under a name of so many bytes, in a store that answers no empty range. */
  async function read(nameBytes: number): Promise<{ readonly headBytes: number; readonly message: string }> {
    const name = 'n'.repeat(nameBytes);
    const inline = blob([{ name }]);
    if (inline.at !== 'inline') throw new Error('it is not inline');
    const bytes = Buffer.from(inline.base64, 'base64');
    const parts = {
      async readPart(_format: string, _ref: object, start: number, end: number) {
        if (start >= end) throw new Error('an empty range');
        return bytes.subarray(PAYLOAD_OFFSET + start, PAYLOAD_OFFSET + end);
      },
    };
    const deps = { blobs: parts, clock: { elapsedMs: () => 0 }, random: ids, observe: () => {} } as unknown as CoordinatorDeps;
    const base = { at: 'store', name: 'word-count/inc/state/count/count-0-000000000007-a', bytes: bytes.length } as const;
    const state = { count: [{ id: 's', keyGroups: { first: 0, last: 127 }, base, deltas: [] }] };
    const now = identity({ other: value() });
    const epoch = { what: 'epoch 7', manifest: { offsets: { read: { lines: [1] } }, state }, fingerprint: now, isOwn: false };
    const checked = checkState(deps, { plan: plan(), fingerprint: now }, epoch, NEVER);
    const message = await checked.then(
      () => '',
      (error: Error) => error.message,
    );
    return { headBytes: headBytes(bytes.subarray(PAYLOAD_OFFSET), 'it'), message };
  }

  it('is read whole, however it lies to the first bytes that are read', async () => {
    const { headBytes: least } = await read(0);
    // A name of 128 bytes and more has another byte for its length.
    const exact = START - least - 1;
    for (const [nameBytes, size] of [
      [10, least + 10],
      [exact - 1, START - 1],
      [exact, START],
      [exact + 1, START + 1],
      [3 * START, undefined],
    ] as const) {
      const { headBytes: is, message } = await read(nameBytes);
      if (size !== undefined) expect(is).toBe(size);
      expect(message).toContain(`epoch 7 has state ${'n'.repeat(nameBytes)} of count`);
    }
  });
});
