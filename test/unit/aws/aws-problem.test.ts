import { afterEach, expect, it, vi } from 'vitest';
import { awsFaultOf } from '../../../lib/aws/aws-problem.ts';
import { createDynamoDbClient } from '../../../lib/aws/clients.ts';
import { createEpochStore } from '../../../lib/aws/dynamo-epoch-store.ts';
import { scripted } from '../../support/http-handlers.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A machine on which nobody has set up AWS, but for `env`. */
function problemWith(env: Readonly<Record<string, string>>): Promise<unknown> {
  for (const variable of Object.keys(process.env)) if (variable.startsWith('AWS_')) vi.stubEnv(variable, undefined);
  const nowhere = '/nonexistent/aws';
  const bare = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: nowhere, AWS_SHARED_CREDENTIALS_FILE: nowhere, ...env };
  for (const [variable, value] of Object.entries(bare)) vi.stubEnv(variable, value);
  const { requestHandler } = scripted({ status: 200 });
  const store = createEpochStore({ client: createDynamoDbClient({ requestHandler }), table: 'onceflow' });
  return store.readJob('word-count').catch((error: unknown) => error);
}

it('a missing region is a problem that says which variable to set, and repeating cannot help', async () => {
  expect(await problemWith({ AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' })).toMatchObject({
    name: 'StoreProblem',
    retriable: false,
    message: expect.stringMatching(/\(ONCEFLOW_TABLE; region none\) failed: .*; set AWS_REGION$/),
  });
});

it('a region that cannot be is a problem of the setting, as a missing one is', async () => {
  expect(await problemWith({ AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'us east 1' })).toMatchObject({
    name: 'StoreProblem',
    retriable: false,
    message: expect.stringMatching(/failed: Error: Region not accepted: .*; set AWS_REGION$/),
  });
});

it('missing credentials are a problem that says which variables to set, and repeating cannot help', async () => {
  expect(await problemWith({ AWS_REGION: 'eu-west-1' })).toMatchObject({
    name: 'StoreProblem',
    retriable: false,
    message: expect.stringMatching(/region eu-west-1\) failed: CredentialsProviderError: .*; correct the credentials \(AWS_ACCESS_KEY_ID/),
  });
});

it('with both, the request is sent', async () => {
  expect(await problemWith({ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' })).toBeUndefined();
});

it.each([
  'EPROTO',
  'EMFILE',
  'ENETDOWN',
  'EAI_FAIL',
  'EAI_AGAIN',
  'HPE_INVALID_CONSTANT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_STREAM_PREMATURE_CLOSE',
])('%s came from below the service, and may pass, also as the cause of another error', (code) => {
  const error = Object.assign(new Error('below'), { code });
  expect(awsFaultOf(error)).toBe('transient');
  expect(awsFaultOf(new Error('the request failed', { cause: error }))).toBe('transient');
});

it('an error of our own is no answer of AWS, and an address that is none is a setting', () => {
  expect(awsFaultOf(Object.assign(new TypeError('ours'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBe('defect');
  expect(awsFaultOf(new Error('ours'))).toBe('defect');
  expect(awsFaultOf(Object.assign(new TypeError('ours'), { code: 'ERR_INVALID_URL' }))).toBe('refused');
});
