import { describe, expect, it } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../../../host/system.ts';
import { fileSink, jsonLines } from '../../../../lib/api/index.ts';
import { createS3Client } from '../../../../lib/aws/clients.ts';
import { createS3Uploads } from '../../../../lib/aws/s3-uploads.ts';
import type { UploadStore } from '../../../../lib/ports/uploads.ts';
import { commitPermitSchema } from '../../../../lib/protocol/permit.ts';
import type { Staged } from '../../../../lib/sinks/connector.ts';
import { commitFiles } from '../../../../lib/sinks/files/commit.ts';
import { filesCommittable } from '../../../../lib/sinks/files/committable.ts';
import { FilesEncoder } from '../../../../lib/sinks/files/files-encoder.ts';
import { prepareFiles } from '../../../../lib/sinks/files/prepare.ts';
import { resolveFiles } from '../../../../lib/sinks/files/resolve.ts';
import type { FileSinkSpec } from '../../../../lib/sinks/files/spec.ts';
import { type Scripted, scripted } from '../../../support/http-handlers.ts';
import { UploadPlace, uploadStoreOn } from '../../../support/upload-place.ts';

const place = { job: 'j', incarnation: 'i', sink: 'to-lake', subtask: 0, epoch: 7 };
const until = { clock, random, deadlineMs: clock.elapsedMs() + 60_000 };
const permit = commitPermitSchema.parse({ epoch: 7, decisionId: 'd', generation: 1, decided: true });
const terms = { location: 's3://lake/orders', manifests: true };
const FILE = 'j-i-to-lake-0-000000000007-0.jsonl';

function staged(): Staged {
  const spec = fileSink<object>({ location: terms.location, format: jsonLines() }) as FileSinkSpec;
  const current = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };
  const encoder = new FilesEncoder(spec, { sink: place.sink, current });
  encoder.begin();
  encoder.append({ n: 1 });
  const payload = Buffer.concat(encoder.finish() ?? []);
  return { isEmpty: false, read: async () => [{ payload, name: 'blob' }] };
}

const prepare = (store: UploadStore) => prepareFiles(until, { store, format: undefined }, place, terms, staged());

const answer = (status: number, body: string): Scripted => ({ status, body, headers: { 'content-type': 'application/xml' } });
const refusal = (status: number, code: string) => answer(status, `<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`);
const begun = answer(200, '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');

/** The engine's store on an S3 that says so. */
function s3Saying(...script: [Scripted, ...Scripted[]]): UploadStore {
  const { requestHandler } = scripted(...script);
  const credentials = { accessKeyId: 'k', secretAccessKey: 's' };
  const client = createS3Client({ region: 'eu-west-1', endpoint: 'http://localhost:4566', credentials, maxAttempts: 1, requestHandler });
  return createS3Uploads({ client, bucket: 'lake', prefix: 'orders' });
}

describe('an epoch whose files cannot be prepared', () => {
  it.each([
    [
      'since nothing may be put there',
      s3Saying(refusal(403, 'AccessDenied')),
      /^sink to-lake: S3 CreateMultipartUpload .*bucket lake.*AccessDenied it is.*s3:PutObject/s,
    ],
    [
      'since no part may be put there',
      s3Saying(begun, refusal(403, 'AccessDenied')),
      /^sink to-lake: S3 UploadPart .*bucket lake.*AccessDenied it is.*s3:PutObject/s,
    ],
    ['since the bucket is gone', s3Saying(refusal(404, 'NoSuchBucket')), /^sink to-lake: .*bucket lake.*the location of a sink/s],
    [
      'since it went while they were uploaded',
      s3Saying(begun, refusal(404, 'NoSuchBucket')),
      /^sink to-lake: .*bucket lake.*the location of a sink/s,
    ],
  ])('%s: it needs a person, who is told sink, bucket and what to do', async (_what, store, message) => {
    expect(await prepare(store)).toMatchObject({ outcome: 'failed', retriable: false, message: expect.stringMatching(message) });
  });
});

it('a file of somebody else under the name of one of an epoch is not written over, and a person is told which to move', async () => {
  const files = new UploadPlace();
  const store = uploadStoreOn(files);
  const prepared = await prepare(store);
  if (prepared.outcome !== 'prepared' || prepared.committable === undefined) throw new Error('it was not prepared');
  const epoch = filesCommittable(prepared.committable);
  files.files.set(FILE, Buffer.from('somebody else wrote it'));
  expect(await commitFiles(store, permit, epoch)).toMatchObject({
    outcome: 'doubtful',
    why: `1 of 1 files in s3://lake/orders did not appear: ${FILE} is there with 22 bytes, and should have ${epoch.files[0]?.bytes}`,
  });
  expect(await resolveFiles({ store, format: undefined }, place, epoch, staged())).toEqual({
    outcome: 'refused',
    message: `s3://lake/orders/${FILE} is there with 22 bytes, and is not the file of ${epoch.files[0]?.bytes} bytes that epoch 7 of sink to-lake is to write: move it away`,
  });
  expect(String(files.files.get(FILE))).toBe('somebody else wrote it');
  expect([...files.files.keys()]).toEqual([FILE]);
});
