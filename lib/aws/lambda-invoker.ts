import { InvokeCommand, type InvokeCommandOutput, type LambdaClient } from '@aws-sdk/client-lambda';
import { functionName } from '../config/function-names.ts';
import { type FunctionInvoker, type FunctionTarget, InvokeError } from '../ports/function-invoker.ts';
import { reasonOf } from '../ports/reason.ts';

/** Lambda's limit for the payload of a synchronous invocation, and for its answer. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
const TOO_LARGE_MEND =
  'lower ONCEFLOW_INLINE_BLOB_BYTES, so that more blobs travel through the store, or the parallelism (ONCEFLOW_PARALLELISM): each reference takes room too';

export interface LambdaInvokerOptions {
  /** From `createLambdaClient`: it must not repeat invocations by itself. */
  readonly client: LambdaClient;
  /** What the names of the deployment's functions begin with. */
  readonly prefix: string;
  /** Told the name of a function that Lambda refused to run because too many are running. */
  readonly throttled?: (name: string) => void;
}

/** Stages as Lambda functions, invoked synchronously. */
export function createLambdaInvoker(options: LambdaInvokerOptions): FunctionInvoker {
  return { invoke: (target, payload, { timeoutMs, signal }) => invoke(options, target, payload, timeoutMs, signal) };
}

async function invoke(
  { client, prefix, throttled }: LambdaInvokerOptions,
  target: FunctionTarget,
  payload: unknown,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const name = functionName(prefix, target);
  const body = Buffer.from(JSON.stringify(payload));
  if (body.length > MAX_PAYLOAD_BYTES) {
    throw new InvokeError(
      target,
      `its request has ${body.length} bytes, ${inlineText(payload)}, and Lambda takes ${MAX_PAYLOAD_BYTES}; ${TOO_LARGE_MEND}`,
      { fatal: true },
    );
  }
  if (timeoutMs <= 0) throw new InvokeError(target, `its time was over ${-timeoutMs} ms before it was invoked`);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const abortSignal = signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, signal]);
  try {
    const output = await client.send(new InvokeCommand({ FunctionName: name, InvocationType: 'RequestResponse', Payload: body }), {
      abortSignal,
    });
    return answerOf(target, name, output);
  } catch (error) {
    if (error instanceof InvokeError) throw error;
    if (deadline.signal.aborted)
      throw new InvokeError(target, `${name} was still running ${timeoutMs} ms after it was invoked, when its time was over`, {
        cause: error,
      });
    if (error instanceof Error && error.name === 'TooManyRequestsException') throttled?.(name);
    throw new InvokeError(target, invocationFault(error, name), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function answerOf(target: FunctionTarget, name: string, { FunctionError, Payload }: InvokeCommandOutput): unknown {
  const answer: unknown = Payload === undefined || Payload.length === 0 ? undefined : JSON.parse(Payload.transformToString());
  if (FunctionError !== undefined) {
    const { reason, fatal } = failureOf(name, answer);
    throw new InvokeError(target, reason, { fatal });
  }
  return answer;
}

/** What Lambda answers for a handler that threw, ran out of time or memory, or answered too much. */
function failureOf(name: string, answer: unknown): { readonly reason: string; readonly fatal: boolean } {
  const { errorType, errorMessage } = isRecord(answer) ? answer : {};
  const type = typeof errorType === 'string' ? errorType : 'an error without a type';
  const message = typeof errorMessage === 'string' ? errorMessage : 'no message';
  const fatal = type === 'Function.ResponseSizeTooLarge';
  return { reason: `${name} failed with ${type}: ${message}${fatal ? `; ${TOO_LARGE_MEND}` : ''}`, fatal };
}

/** How much of a payload is blobs that travel inside it. */
function inlineText(payload: unknown): string {
  const sizes: number[] = [];
  JSON.stringify(payload, (key, value: unknown) => {
    if (key === 'base64' && typeof value === 'string') sizes.push(value.length);
    return value;
  });
  return `${sizes.reduce((sum, size) => sum + size, 0)} of them in ${sizes.length} blobs that travel inside it`;
}

function invocationFault(error: unknown, name: string): string {
  if (!(error instanceof Error)) return `${name} could not be invoked: ${String(error)}`;
  const said = `${name} could not be invoked: ${error.name}: ${reasonOf(error)}`;
  switch (error.name) {
    case 'TooManyRequestsException':
      return `${said}; it was throttled: raise its reserved concurrency, or the account's limit`;
    case 'ResourceNotFoundException':
      return `${said}; deploy it: the names of functions follow the stages of the job and the parallelism (ONCEFLOW_PARALLELISM, ONCEFLOW_STAGE_PARALLELISM)`;
    case 'AccessDeniedException':
      return `${said}; the coordinator's role needs lambda:InvokeFunction on it`;
    default:
      return said;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
