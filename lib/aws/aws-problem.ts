import { reasonOf } from '../ports/reason.ts';
import { StoreProblem } from '../ports/store-problem.ts';

/**
 * What a failed call to AWS means.
 * `transient`: no answer, or the service is not able to; the call may have been carried out, and may succeed later.
 * `refused`: a definite answer that will not change by itself; nothing was done by this request.
 * `defect`: neither AWS nor the network said this: an error of our own, to be thrown on as it is.
 */
export type AwsFault = 'transient' | 'refused' | 'defect';

/** What the SDK's errors carry; every part may be missing. */
interface SdkError extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: unknown;
}

const THROTTLED = new Set([
  'ThrottlingException',
  'Throttling',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'TooManyRequestsException',
  'SlowDown',
  'TransactionInProgressException',
  'TransactionConflictException',
  'ConditionalRequestConflict',
  // Somebody ended the upload meanwhile: whoever works on it begins another.
  'NoSuchUpload',
  'RequestTimeout',
  'RequestTimeoutException',
]);

const NO_ANSWER = new Set(['TimeoutError', 'AbortError']);

const WRONG_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'MissingAuthenticationToken',
]);
const MEND_CREDENTIALS = 'correct the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, or the role)';

/**
 * Codes of the operating system, the resolver, TLS and the HTTP parser: no answer of AWS came. Not by a list of those that are known:
 * whatever goes wrong below the service (EPROTO, EMFILE, EAI_FAIL, something on the port that speaks no HTTP) may pass.
 */
const BELOW_THE_SERVICE =
  /^(?:E(?!RR_)[A-Z0-9_]+|HPE_[A-Z_]+|ERR_STREAM_PREMATURE_CLOSE|ERR_SSL_[A-Z0-9_]+|ERR_TLS_[A-Z0-9_]+|ERR_SOCKET_[A-Z_]+)$/;

export function awsFaultOf(error: unknown): AwsFault {
  if (!(error instanceof Error)) return 'defect';
  const { name, message, code, cause, $metadata, $retryable }: SdkError = error;
  if (name === 'CredentialsProviderError' || isOfRegion(message) || code === 'ERR_INVALID_URL') return 'refused';
  if (THROTTLED.has(name) || NO_ANSWER.has(name) || $retryable !== undefined) return 'transient';
  if (typeof code === 'string' && BELOW_THE_SERVICE.test(code)) return 'transient';
  const status = $metadata?.httpStatusCode;
  if (status === undefined) {
    // A blob that was damaged on its way.
    if (message.startsWith('Checksum mismatch')) return 'transient';
    return cause === undefined ? 'defect' : awsFaultOf(cause);
  }
  // 3xx is S3's way to say that the bucket is in another region.
  return status >= 300 && status < 500 && status !== 429 ? 'refused' : 'transient';
}

/** The SDK's errors for a region that is missing, and for one that cannot be. */
function isOfRegion(message: string): boolean {
  return message === 'Region is missing' || message.startsWith('Region not accepted');
}

/** What was tried, for the message: `action` on `target`, and the option that names the target. */
export interface AwsCall {
  readonly service: 'DynamoDB' | 'Lambda' | 'S3' | 'Secrets Manager';
  readonly action: string;
  /** Permissions that the action needs. */
  readonly permissions: readonly string[];
  /** E.g. `table onceflow`. */
  readonly target: string;
  readonly option: string;
  /** What to do when the target is not there. @default create it, or look for it elsewhere */
  readonly whenMissing?: string;
}

interface ClientConfig {
  region(): Promise<string>;
  readonly endpoint?: (() => Promise<{ readonly protocol: string; readonly hostname: string; readonly port?: number }>) | undefined;
  /** What the SDK's variables and files say. */
  readonly serviceConfiguredEndpoint?: (() => Promise<string | undefined>) | undefined;
}

/** The error to throw for a failed call: a `StoreProblem` that says what to change, or a defect as it was. */
export async function problemOf(error: unknown, call: AwsCall, config: ClientConfig): Promise<unknown> {
  const fault = awsFaultOf(error);
  if (fault === 'defect' || !(error instanceof Error)) return error;
  const where = `${call.target} (${call.option}; ${await whereabouts(config)})`;
  const what = `${call.service} ${call.action} on ${where} failed: ${error.name}: ${reasonOf(error)}`;
  const mend = fault === 'transient' ? 'it may succeed later' : mendOf(error, call);
  return new StoreProblem(`${what}; ${mend}`, fault === 'transient', { cause: error, isSetting: isOfSettings(error) });
}

function mendOf(error: Error, call: AwsCall): string {
  switch (error.name) {
    case 'ResourceNotFoundException':
    case 'NoSuchBucket':
      return `${call.whenMissing ?? 'create it'}, or correct ${call.option}, AWS_REGION or AWS_ENDPOINT_URL`;
    case 'AccessDeniedException':
    case 'AccessDenied':
    case 'Forbidden':
      return `give the role ${call.permissions.join(', ')}, or correct ${call.option}`;
    case 'ExpiredToken':
    case 'ExpiredTokenException':
      return MEND_CREDENTIALS;
    case 'IdempotentParameterMismatchException':
      return 'one decision id was sent with two contents, which the engine never does: please report it';
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return `correct AWS_REGION: the ${call.target} is in another region`;
    default:
      if (WRONG_CREDENTIALS.has(error.name)) return MEND_CREDENTIALS;
      if (isOfRegion(error.message)) return 'set AWS_REGION';
      return isOfEndpoint(error) ? 'correct endpoint_url in the AWS config file' : `see the message, and check ${call.option}`;
  }
}

/** Is it what this process was told of AWS that is wrong, and was so from the beginning? A token that expired was right once. */
function isOfSettings(error: Error): boolean {
  return WRONG_CREDENTIALS.has(error.name) || isOfRegion(error.message) || isOfEndpoint(error);
}

function isOfEndpoint(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_INVALID_URL';
}

/** Region and, when it is not AWS's own, the endpoint. */
async function whereabouts(config: ClientConfig): Promise<string> {
  const region = await config.region().catch(() => 'none');
  const endpoint = (await givenEndpoint(config)) ?? (await config.serviceConfiguredEndpoint?.().catch(() => undefined));
  return endpoint === undefined ? `region ${region}` : `region ${region}, endpoint ${endpoint}`;
}

async function givenEndpoint(config: ClientConfig): Promise<string | undefined> {
  const endpoint = await config.endpoint?.();
  if (endpoint === undefined) return undefined;
  const port = endpoint.port === undefined ? '' : `:${endpoint.port}`;
  return `${endpoint.protocol}//${endpoint.hostname}${port}`;
}
