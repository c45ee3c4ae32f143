import type { FunctionTarget } from '../ports/function-invoker.ts';

/*
 * How `onceflow run` and workers speak to each other: a request of a function is a POST of the same JSON that a deployment's functions get,
 * to the path of its target. What a worker is, it tells at HEALTH_PATH.
 */

export const HEALTH_PATH = '/health';
/** Of a request: how long its sender waits, in milliseconds. A browser does not send it to a foreign page without asking. */
export const TIMEOUT_HEADER = 'x-onceflow-timeout-ms';
/** Of a request: whose function is asked for. Two jobs may have stages of one name, and one id of their build. */
export const JOB_HEADER = 'x-onceflow-job';
/** A request, or an answer, has some MB at most: what is larger is none. */
export const MOST_BYTES = 64 * 1024 * 1024;
/** Of an answer: the build that the worker runs. */
export const BUILD_HEADER = 'x-onceflow-build';

/** What a worker tells of itself to who has its token. */
export interface WorkerHealth {
  readonly status: 'ok' | 'starting' | 'draining';
  readonly job: string;
  readonly build: string;
}

const ROLES: readonly FunctionTarget['role'][] = ['source', 'operator', 'sink'];

export function functionPath({ role, stage, subtask }: FunctionTarget): string {
  return `/functions/${role}/${encodeURIComponent(stage)}/${subtask}`;
}

/** Undefined: the path is none of a function. */
export function targetIn(path: string): FunctionTarget | undefined {
  const [, word = '', name = '', number = ''] = /^\/functions\/([a-z]+)\/([^/]+)\/(\d{1,6})$/.exec(path) ?? [];
  const role = ROLES.find((each) => each === word);
  const stage = decoded(name);
  return role === undefined || stage === undefined ? undefined : { role, stage, subtask: Number(number) };
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
