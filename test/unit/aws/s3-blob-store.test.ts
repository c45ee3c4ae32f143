import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createS3Client } from '../../../lib/aws/clients.ts';
import { createS3BlobStore } from '../../../lib/aws/s3-blob-store.ts';
import { BlobConflictError, BlobMissingError, type BlobStore } from '../../../lib/ports/blob-store.ts';
import { StoreProblem } from '../../../lib/ports/store-problem.ts';
import { connectionReset, type Scripted, type SentRequest, scripted } from '../../support/http-handlers.ts';

const xml = (status: number, body: string): Scripted => ({
  status,
  body: `<?xml version="1.0"?>${body}`,
  headers: { 'content-type': 'application/xml' },
});
const failed = (status: number, code: string) => xml(status, `<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`);
const created: Scripted = { status: 200, body: '' };
const exists = failed(412, 'PreconditionFailed');
const contended = failed(409, 'ConditionalRequestConflict');
const stored = (text: string): Scripted => ({ status: 200, body: text });

function storeOn(
  maxAttempts: number,
  ...script: [Scripted, ...Scripted[]]
): { readonly store: BlobStore; readonly requests: readonly SentRequest[] } {
  const { requestHandler, requests } = scripted(...script);
  const credentials = { accessKeyId: 'k', secretAccessKey: 's' };
  const client = createS3Client({ region: 'eu-west-1', endpoint: 'http://localhost:4566', credentials, maxAttempts, requestHandler });
  return { store: createS3BlobStore({ client, bucket: 'the-bucket', prefix: 'a/b' }), requests };
}

async function problemOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no problem',
    (error: unknown) => error,
  );
}

describe('putting a blob on S3', () => {
  it('creates the object, on condition that there is none, under a path that needs no DNS name for the bucket', async () => {
    const { store, requests } = storeOn(1, created);
    await store.put('job/x', Buffer.from('x'));
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ method: 'PUT', path: '/the-bucket/a/b/job/x' });
    expect(requests[0]?.headers).toMatchObject({ 'if-none-match': '*', 'x-amz-checksum-crc32': expect.any(String) });
  });

  it('does not wait for "100 Continue", which would cost a large blob a connection of its own', async () => {
    const { store, requests } = storeOn(1, created);
    await store.put('job/x', Buffer.alloc(3_000_000));
    expect(Object.keys(requests[0]?.headers ?? {}).map((header) => header.toLowerCase())).not.toContain('expect');
  });

  it('whose first answer was lost succeeds, because the object there is its own', async () => {
    const { store, requests } = storeOn(2, connectionReset(), exists, stored('x'));
    await store.put('job/x', Buffer.from('x'));
    expect(requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'GET']);
  });

  it('is a conflict when the object there is another', async () => {
    const { store } = storeOn(1, exists, stored('y'));
    const problem = await problemOf(store.put('job/x', Buffer.from('x')));
    expect(problem).toBeInstanceOf(BlobConflictError);
    expect(problem).toMatchObject({ message: expect.stringContaining('blob job/x exists in s3://the-bucket/a/b with other content') });
  });

  it('is repeated when S3 has another write of the key under way, and when the object was deleted since', async () => {
    const { store, requests } = storeOn(1, contended, contended, exists, failed(404, 'NoSuchKey'), created);
    await store.put('job/x', Buffer.from('x'));
    expect(requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT', 'GET', 'PUT']);
  });

  it('is a retriable problem when the key stays contended', async () => {
    const problem = await problemOf(storeOn(1, contended).store.put('job/x', Buffer.from('x')));
    expect(problem).toMatchObject({
      name: 'StoreProblem',
      retriable: true,
      message: expect.stringContaining('refused 8 conditional writes'),
    });
  });
});

describe('an endpoint of S3', () => {
  /** A machine on which AWS is set up by `files` and `env` alone. */
  async function blobsWith(config: string, env: Readonly<Record<string, string>>, answer: Scripted) {
    const folder = mkdtempSync(join(tmpdir(), 'onceflow-aws-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
      vi.unstubAllEnvs();
    });
    writeFileSync(join(folder, 'config'), config);
    for (const variable of Object.keys(process.env)) if (variable.startsWith('AWS_')) vi.stubEnv(variable, undefined);
    const files = { AWS_CONFIG_FILE: join(folder, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none') };
    for (const [variable, value] of Object.entries({ ...files, ...env })) vi.stubEnv(variable, value);
    const { requestHandler, requests } = scripted(answer);
    const credentials = { accessKeyId: 'k', secretAccessKey: 's' };
    const client = createS3Client({ region: 'eu-west-1', credentials, maxAttempts: 1, requestHandler });
    return { store: createS3BlobStore({ client, bucket: 'the-bucket', prefix: '' }), requests };
  }

  const HOST = 'http://storage.test:4566';
  const inServices = `[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = ${HOST}\n`;

  it.each<[string, string, Record<string, string>]>([
    ['endpoint_url of the AWS config file', `[default]\nendpoint_url = ${HOST}\n`, {}],
    ['endpoint_url of a profile', `[profile other]\nendpoint_url = ${HOST}\n`, { AWS_PROFILE: 'other' }],
    ['endpoint_url of the section for S3', inServices, {}],
    ['AWS_ENDPOINT_URL', '', { AWS_ENDPOINT_URL: HOST }],
    ['AWS_ENDPOINT_URL_S3', '', { AWS_ENDPOINT_URL: 'http://other.test', AWS_ENDPOINT_URL_S3: HOST }],
  ])('by %s has the bucket in the path, and problems name it', async (_what, config, env) => {
    const { store, requests } = await blobsWith(config, env, failed(403, 'AccessDenied'));
    const problem = await problemOf(store.put('job/x', Buffer.from('x')));
    expect(requests[0]).toMatchObject({ hostname: 'storage.test', path: '/the-bucket/job/x' });
    expect(problem).toMatchObject({ message: expect.stringContaining(`region eu-west-1, endpoint ${HOST})`) });
  });

  it.each<[string, string, Record<string, string>]>([
    ['not given', '', {}],
    ['given, and to be ignored', `[default]\nendpoint_url = ${HOST}\n`, { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }],
  ])("that is %s is AWS's own, with the bucket in the host", async (_what, config, env) => {
    const { store, requests } = await blobsWith(config, env, created);
    await store.put('job/x', Buffer.from('x'));
    expect(requests[0]).toMatchObject({ hostname: 'the-bucket.s3.eu-west-1.amazonaws.com', path: '/job/x' });
  });
});

describe('the S3 blob store', () => {
  it.each<[string, Scripted, boolean, RegExp]>([
    ['a missing bucket', failed(404, 'NoSuchBucket'), false, /NoSuchBucket it is; create it, or correct ONCEFLOW_BLOBS/],
    [
      'a missing permission',
      failed(403, 'AccessDenied'),
      false,
      /AccessDenied it is; give the role s3:(PutObject|GetObject, s3:ListBucket)/,
    ],
    ['wrong credentials', failed(403, 'InvalidAccessKeyId'), false, /correct the credentials/],
    [
      'a bucket in another region',
      failed(301, 'PermanentRedirect'),
      false,
      /correct AWS_REGION: the bucket the-bucket is in another region/,
    ],
    ['an error of the server', failed(500, 'InternalError'), true, /it may succeed later/],
    ['throttling', failed(503, 'SlowDown'), true, /it may succeed later/],
    ['a connection that is reset', connectionReset(), true, /it may succeed later/],
  ])('says what to do about %s, and whether repeating can help', async (_what, answer, retriable, mend) => {
    const where = 'on bucket the-bucket (ONCEFLOW_BLOBS; region eu-west-1, endpoint http://localhost:4566) failed: ';
    for (const work of [(store: BlobStore) => store.put('job/x', Buffer.from('x')), (store: BlobStore) => store.get('job/x')]) {
      const problem = await problemOf(work(storeOn(1, answer).store));
      expect(problem).toBeInstanceOf(StoreProblem);
      expect(problem).toMatchObject({ retriable, message: expect.stringContaining(where) });
      expect(problem).toMatchObject({ message: expect.stringMatching(mend) });
    }
  });

  it('throws for a missing blob that it is missing, and where', async () => {
    const problem = await problemOf(storeOn(1, failed(404, 'NoSuchKey')).store.get('job/x'));
    expect(problem).toBeInstanceOf(BlobMissingError);
    expect(problem).toMatchObject({ blob: 'job/x', message: expect.stringContaining('s3://the-bucket/a/b') });
  });

  it('does not take a part of a blob for the blob', async () => {
    const cut: Scripted = { status: 200, body: 'only this', headers: { 'content-length': '100' } };
    const problem = await problemOf(storeOn(1, cut).store.get('job/x'));
    expect(problem).toMatchObject({ name: 'StoreProblem', retriable: true });
  });

  it('does not take damaged bytes for the blob', async () => {
    const damaged: Scripted = { status: 200, body: 'damaged', headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } };
    const problem = await problemOf(storeOn(1, damaged).store.get('job/x'));
    expect(problem).toMatchObject({ name: 'StoreProblem', retriable: true, message: expect.stringContaining('Checksum mismatch') });
  });

  it('reports what was not deleted, and whether repeating can help', async () => {
    const errors = (...codes: string[]) =>
      xml(
        200,
        `<DeleteResult>${codes.map((code) => `<Error><Key>a/b/job/x</Key><Code>${code}</Code><Message>no</Message></Error>`).join('')}</DeleteResult>`,
      );
    const names = ['job/x', 'job/y', 'job/z'];
    expect(await problemOf(storeOn(1, errors('AccessDenied', 'InternalError')).store.delete(names))).toMatchObject({
      name: 'StoreProblem',
      retriable: false,
      message:
        '2 of 3 blobs in s3://the-bucket/a/b were not deleted, the first being a/b/job/x: AccessDenied: no; give the role s3:DeleteObject',
    });
    expect(await problemOf(storeOn(1, errors('InternalError', 'SlowDown')).store.delete(names))).toMatchObject({ retriable: true });
    expect(await problemOf(storeOn(1, errors()).store.delete(names))).toBe('no problem');
  });

  it('explains a list that fails', async () => {
    const listing = async () => {
      for await (const entry of storeOn(1, failed(403, 'AccessDenied')).store.list('job/')) return entry;
      return undefined;
    };
    expect(await problemOf(listing())).toMatchObject({
      name: 'StoreProblem',
      retriable: false,
      message: expect.stringContaining('give the role s3:ListBucket'),
    });
  });
});
