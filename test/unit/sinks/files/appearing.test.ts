import { describe, expect, it } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../../../host/system.ts';
import { fileSink, jsonLines } from '../../../../lib/api/index.ts';
import type { SinkTargets } from '../../../../lib/ports/sink-targets.ts';
import { StoreProblem } from '../../../../lib/ports/store-problem.ts';
import type { UploadStore } from '../../../../lib/ports/uploads.ts';
import { commitPermitSchema } from '../../../../lib/protocol/permit.ts';
import type { PoolScope, SinkEvent, Staged } from '../../../../lib/sinks/connector.ts';
import { commitFiles } from '../../../../lib/sinks/files/commit.ts';
import { type FilesCommittable, filesCommittable, uploadsOf } from '../../../../lib/sinks/files/committable.ts';
import { coordinateFiles } from '../../../../lib/sinks/files/coordination.ts';
import { FilesEncoder } from '../../../../lib/sinks/files/files-encoder.ts';
import { prepareFiles } from '../../../../lib/sinks/files/prepare.ts';
import { resolveFiles } from '../../../../lib/sinks/files/resolve.ts';
import type { FileSinkSpec } from '../../../../lib/sinks/files/spec.ts';
import type { SinkSpec } from '../../../../lib/sinks/kinds.ts';
import { UploadPlace, uploadStoreOn } from '../../../support/upload-place.ts';

const place = { job: 'j', incarnation: 'i', sink: 's', subtask: 0, epoch: 7 };
const until = { clock, random, deadlineMs: clock.elapsedMs() + 60_000 };
const permit = commitPermitSchema.parse({ epoch: 7, decisionId: 'd', generation: 1, decided: true });
const terms = { location: 's3://bucket', manifests: true };
const LIST = '_manifests/j-i-s-0-000000000007.json';
const denied = new StoreProblem('AccessDenied: give the role s3:PutObject', false);

/** Rows that each stand in a folder of their own. */
function stagedRows(rows: readonly string[]): Staged {
  const spec: SinkSpec = fileSink<string>({ location: terms.location, format: jsonLines<string>(), path: (row) => row }) as SinkSpec;
  const current = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };
  const encoder = new FilesEncoder(spec as FileSinkSpec, { sink: 's', current });
  encoder.begin();
  for (const row of rows) encoder.append(row);
  const payload = Buffer.concat(encoder.finish() ?? []);
  return { isEmpty: false, read: async () => [{ payload, name: 'blob' }] };
}

async function prepared(store: UploadStore, staged: Staged): Promise<FilesCommittable> {
  const answer = await prepareFiles(until, { store, format: undefined }, place, terms, staged);
  if (answer.outcome !== 'prepared' || answer.committable === undefined) throw new Error('it was not prepared');
  return filesCommittable(answer.committable);
}

const listed = (content: Buffer | undefined) =>
  (JSON.parse(String(content)) as { readonly files: readonly { readonly key: string; readonly bytes: number }[] }).files;

describe('a list of an epoch’s files', () => {
  it('appears behind them: not while one of them is missing', async () => {
    const files = new UploadPlace();
    const store = uploadStoreOn(files);
    const staged = stagedRows(['a', 'b']);
    const epoch = await prepared(store, staged);
    const [, second] = epoch.files;
    await store.abort(second?.key ?? '', second?.upload ?? '');
    expect(await commitFiles(store, permit, epoch)).toMatchObject({ outcome: 'doubtful', why: expect.stringContaining('is gone') });
    expect([...files.files.keys()]).toEqual(['a/j-i-s-0-000000000007-0.jsonl']);

    const again = await resolveFiles({ store, format: undefined }, place, epoch, staged);
    if (again.outcome !== 'sent-again') throw new Error(again.outcome);
    expect(await commitFiles(store, permit, filesCommittable(again.committable))).toEqual({ outcome: 'committed' });
    expect(listed(files.files.get(LIST)).map(({ key }) => key)).toEqual([...files.files.keys()].filter((key) => key !== LIST));
  });

  it('says the size that a file has, also when it is uploaded again by a build that compresses otherwise', async () => {
    const files = new UploadPlace();
    const store = uploadStoreOn(files);
    const staged = stagedRows(['a']);
    const epoch = await prepared(store, staged);
    // As if it had been another size then.
    const other = { ...epoch, files: epoch.files.map((file) => ({ ...file, bytes: file.bytes + 1 })) };
    await store.abort(epoch.files[0]?.key ?? '', epoch.files[0]?.upload ?? '');
    const again = await resolveFiles({ store, format: undefined }, place, other, staged);
    if (again.outcome !== 'sent-again') throw new Error(again.outcome);
    expect(filesCommittable(again.committable).manifest?.upload).not.toBe(epoch.manifest?.upload);
    expect(await commitFiles(store, permit, filesCommittable(again.committable))).toEqual({ outcome: 'committed' });
  });

  it('is ended with them when the epoch is dropped', async () => {
    const files = new UploadPlace();
    const store = uploadStoreOn(files);
    const epoch = await prepared(store, stagedRows(['a', 'b']));
    expect(files.open).toHaveLength(3);
    for (const { key, upload } of uploadsOf(epoch)) await store.abort(key, upload);
    expect(files.open).toEqual([]);
  });

  it('that is there stays', async () => {
    const files = new UploadPlace();
    const store = uploadStoreOn(files);
    const staged = stagedRows(['a']);
    const epoch = await prepared(store, staged);
    await commitFiles(store, permit, epoch);
    const [file] = epoch.files;
    files.files.delete(file?.key ?? '');
    const other = { ...epoch, files: epoch.files.map((each) => ({ ...each, bytes: each.bytes + 1 })) };
    const again = await resolveFiles({ store, format: undefined }, place, other, staged);
    if (again.outcome !== 'sent-again') throw new Error(again.outcome);
    expect(filesCommittable(again.committable).manifest).toEqual(epoch.manifest);
  });
});

describe('a commit', () => {
  it('ends an upload of a file that another one has made, and has no list where none is asked for', async () => {
    const files = new UploadPlace();
    const store = uploadStoreOn(files);
    const without = { ...terms, manifests: false };
    const prepare = async () => {
      const answer = await prepareFiles(until, { store, format: undefined }, place, without, stagedRows(['a']));
      if (answer.outcome !== 'prepared' || answer.committable === undefined) throw new Error('it was not prepared');
      return filesCommittable(answer.committable);
    };
    const [first, second] = [await prepare(), await prepare()];
    expect(files.open).toHaveLength(2);
    expect(await commitFiles(store, permit, first)).toEqual({ outcome: 'committed' });
    expect(await commitFiles(store, permit, second)).toEqual({ outcome: 'committed' });
    expect([files.open, [...files.files.keys()]]).toEqual([[], ['a/j-i-s-0-000000000007-0.jsonl']]);
  });

  it.each([
    ['is refused', denied, true],
    ['gets no answer', new StoreProblem('no answer', true), false],
  ])('whose completion %s is in doubt, and says of what kind', async (_what, problem, refused) => {
    const store = uploadStoreOn(new UploadPlace());
    const epoch = await prepared(store, stagedRows(['a']));
    const refusing: UploadStore = { ...store, complete: () => Promise.reject(problem) };
    expect(await commitFiles(refusing, permit, epoch)).toEqual({ outcome: 'doubtful', why: problem.message, refused });
  });
});

describe('a prepare', () => {
  it('of more files than a function can answer says which options make fewer, and uploads nothing', async () => {
    const files = new UploadPlace();
    const rows = Array.from({ length: 13_000 }, (_, n) => `folder-${n}`);
    expect(await prepareFiles(until, { store: uploadStoreOn(files), format: undefined }, place, terms, stagedRows(rows))).toMatchObject({
      outcome: 'failed',
      retriable: false,
      message: expect.stringMatching(/epoch 7 would be 13000 files.*`path`.*ONCEFLOW_MAX_EPOCH_BYTES/),
    });
    expect(files.open).toEqual([]);
  });
});

describe('the locations of a job’s sinks', () => {
  const sinks = ['s', 'other'].map((sink) => ({ sink, target: { kind: 'files', location: terms.location, manifests: false } as const }));
  const learn = (open: UploadStore['open']) => {
    const store: UploadStore = { ...uploadStoreOn(new UploadPlace()), open };
    return coordinateFiles({ uploads: async () => store } as unknown as SinkTargets).learn(sinks);
  };

  it('are tried when it starts, each once', async () => {
    let tries = 0;
    const open = async () => {
      tries++;
      return [];
    };
    expect(await learn(open)).toEqual({ outcome: 'learnt', facts: { s: {}, other: {} } });
    expect(tries).toBe(1);
  });

  it('stop it with what is to be done where one is refused, and not where that may pass', async () => {
    const message = 'the location s3://bucket of a sink cannot be used: AccessDenied: give the role s3:PutObject';
    expect(await learn(() => Promise.reject(denied))).toEqual({ outcome: 'refused', message });
    await expect(learn(() => Promise.reject(new StoreProblem('no answer', true)))).rejects.toThrow('no answer');
  });
});

describe('of uploads that a job has left', () => {
  const scope: PoolScope = { job: 'j', incarnation: 'i', sinks: { s: { subtasks: 1, places: ['s3://old', 's3://now'] } } };

  function placesOf(old: Error): { readonly targets: SinkTargets; readonly now: UploadPlace } {
    const now = new UploadPlace();
    const gone: UploadStore = { ...uploadStoreOn(new UploadPlace()), open: () => Promise.reject(old) };
    return { now, targets: { uploads: async (at: string) => (at === 's3://old' ? gone : uploadStoreOn(now)) } as SinkTargets };
  }

  it('those in a location where the job may not look any more are left, aloud, and the others are ended', async () => {
    const { now, targets } = placesOf(new StoreProblem('NoSuchBucket: old', false));
    now.begin('a/j-i-s-0-000000000007-0.jsonl');
    const told: SinkEvent[] = [];
    const settled = await coordinateFiles(targets).settle(until, scope, (event) => told.push(event));
    expect(settled).toEqual({ outcome: 'settled', ends: 1 });
    expect(told).toEqual([{ event: 'warning', message: expect.stringMatching(/s3:\/\/old is not ended.*NoSuchBucket: old/) }]);
    const watch = coordinateFiles(targets).watch(scope);
    now.begin('a/j-i-s-0-000000000008-0.jsonl');
    expect([await watch.look(() => {}), await watch.look(() => {})]).toEqual([false, true]);
  });

  it.each([
    ['passes', new StoreProblem('no answer', true), true],
    ['is of this process', new StoreProblem('no credentials', false, { isSetting: true }), false],
  ])('none is left where what is in the way %s', async (_what, problem, retriable) => {
    const { targets } = placesOf(problem);
    expect(await coordinateFiles(targets).settle(until, scope, () => {})).toMatchObject({ outcome: 'failed', retriable });
  });

  it.each([
    ['is refused', denied, false],
    ['gets no answer', new StoreProblem('no answer', true), true],
  ])('one whose end %s is not settled, and it is said whether that may pass', async (_what, problem, retriable) => {
    const now = new UploadPlace();
    now.begin('a/j-i-s-0-000000000007-0.jsonl');
    const store: UploadStore = { ...uploadStoreOn(now), abort: () => Promise.reject(problem) };
    const settled = await coordinateFiles({ uploads: async () => store } as unknown as SinkTargets).settle(until, scope, () => {});
    expect(settled).toEqual({ outcome: 'failed', retriable, message: `uploads could not be ended: ${problem.message}` });
  });
});

it('an epoch whose files have more names than a function can answer is not begun, and says what to do', async () => {
  const folders = Array.from({ length: 10_000 }, (_, index) => `${index}`.padStart(115, 'f'));
  const begun: string[] = [];
  const store = new Proxy({} as UploadStore, { get: (_, api) => () => begun.push(String(api)) });
  const answer = await prepareFiles(until, { store, format: undefined }, place, terms, stagedRows(folders));
  expect(answer).toMatchObject({
    outcome: 'failed',
    retriable: false,
    message: expect.stringMatching(/^sink s, subtask 0: epoch 7 would be 10000 files, .*coarser folders/),
  });
  expect(begun).toEqual([]);
});

it('an epoch whose time is over before a file is uploaded is tried again, and leaves nothing open', async () => {
  const uploads = new UploadPlace();
  const over = { clock, random, deadlineMs: clock.elapsedMs() - 1 };
  const store = uploadStoreOn(uploads);
  const answer = await prepareFiles(over, { store, format: undefined }, place, terms, stagedRows(['a', 'b']));
  expect(answer).toMatchObject({ outcome: 'failed', retriable: true, message: expect.stringContaining('its time was over') });
  expect(uploads.open).toEqual([]);
});
