import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { UsageError } from '../../../lib/config/usage-error.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { modelEpochStore } from '../../simulation/models/epoch-store.ts';
import { EpochTable } from '../../simulation/models/epoch-table.ts';
import { NOW } from './rows.ts';
import { runCommand } from './run-command.ts';

const carry = async <T>(_api: string, _about: string, _failure: unknown, execute: (last: never) => T): Promise<T> =>
  execute(undefined as never);

/** `state write`, of a process whose blob store and table answer later than a short file is read to its end. */
function write(...given: string[]) {
  const epochs = modelEpochStore(new EpochTable(() => NOW), async (...call) => {
    await sleep(30);
    return carry(...call);
  });
  const store = modelBlobStore(new BlobBucket(() => NOW), carry);
  let ids = 0;
  return runCommand(['state', 'write', ...given], {
    epochs,
    blobStore: () => sleep(30, store),
    configured: async () => ({ job: wordCount }),
    random: { id: () => String(++ids).padStart(32, '0'), fraction: () => 0 },
    clock: { now: () => NOW },
    config: { maxParallelism: 128 },
  });
}

it('takes every line of a file that was read to its end before anything was asked for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-state-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'lines');
  const lines = ['hello', 'world'].map((key) => JSON.stringify({ operator: 'count-words', key, state: 'count', value: 41 }));
  writeFileSync(file, lines.join('\n'));
  expect(await write('prepared', file)).toMatchObject({ code: 0, json: { savepoint: 'prepared', lines: 2 } });
});

it('says which file is not there', async () => {
  await expect(write('prepared', '/no/such/file')).rejects.toThrow(new UsageError('there is no file /no/such/file'));
});
