import { spawnSync } from 'node:child_process';
import { ConfigError, type ConfigFault } from '../../lib/config/fault.ts';
import type { Subtasks } from '../../lib/config/subtasks.ts';
import type { JobGraph } from '../../lib/graph/graph.ts';
import { JobDefinitionError } from '../../lib/graph/job.ts';
import type { PhysicalPlan } from '../../lib/plan/plan.ts';
import { ownModule } from './own-module.ts';
import type { EnvironmentRead } from './watch-environment.ts';

/** What a job is, without its functions. */
export interface JobSummary {
  /** With the configuration's overrides, as are the graph and the plan. */
  readonly name: string;
  readonly graph: JobGraph;
  readonly fingerprint: string;
  readonly plan: PhysicalPlan;
  /** Subtasks of every stage. */
  readonly parallelism: Readonly<Record<string, Subtasks>>;
  /** What the job's own code read of the environment while it was loaded. Of a source only. */
  readonly reads: readonly EnvironmentRead[];
  /** The module in JavaScript, where Node cannot load it as it is written. Of a source only. */
  readonly translation?: string | undefined;
}

/** What describe-job.ts answers. `files`: of the job's author that were loaded, or were to be. Of a source only. */
export type Described<T = JobSummary> = ({ readonly job: T } | { readonly fault: DescribedFault }) & { readonly files: readonly string[] };

export interface DescribedFault {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of a ConfigError. */
  readonly faults?: readonly ConfigFault[] | undefined;
}

export interface DescribeOptions {
  /** The environment, and no other. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default the working directory */
  readonly cwd?: string;
  /** @default 30 s */
  readonly withinMs?: number;
}

const CHILD = ownModule('describe-job', import.meta.url);
const WITHIN_MS = 30_000;
const MOST_BYTES = 64 * 1024 * 1024;
/** Where the child's standard output goes: it is the job's, and ours may have to be JSON. */
const STANDARD_ERROR = 2;
/** Where the child writes its answer. */
const ANSWER = 3;

/** The name of the job in the module that ONCEFLOW_JOB names. @throws as `describeJob` */
export function describeName(options: DescribeOptions): string {
  return describe<Pick<JobSummary, 'name'>>('name', options).name;
}

/**
 * The job that ONCEFLOW_JOB names, loaded in a process of its own: whatever it prints, leaves open or never ends, it does there.
 *
 * @param what `source` as it is written; `plan`: the same, where brokers and blobs need not be configured; `bundle`: in a deployment's bundle, which is `cwd`, with the functions beside it
 * @throws ConfigError, JobDefinitionError
 */
export function describeJob(what: 'plan' | 'source' | 'bundle', options: DescribeOptions): JobSummary {
  return describe<JobSummary>(what, options);
}

/** The same, with the files that the job is made of: also of one that could not be loaded, which is an error as a value. */
export function lookAtSource(options: DescribeOptions): { readonly found: JobSummary | Error; readonly files: readonly string[] } {
  try {
    const described = ask<JobSummary>('source', options);
    return { found: 'job' in described ? described.job : faultOf(described.fault), files: described.files };
  } catch (error) {
    // It ended the process, or never came to an end.
    if (error instanceof JobDefinitionError) return { found: error, files: [] };
    throw error;
  }
}

function describe<T>(what: string, options: DescribeOptions): T {
  const described = ask<T>(what, options);
  if ('job' in described) return described.job;
  throw faultOf(described.fault);
}

/** @throws JobDefinitionError: there is no answer */
function ask<T>(what: string, { env, cwd = process.cwd(), withinMs = WITHIN_MS }: DescribeOptions): Described<T> {
  const { output, status, signal, error } = spawnSync(process.execPath, [CHILD, what], {
    cwd,
    env: { ...compileCacheFor(what), ...env },
    stdio: ['ignore', STANDARD_ERROR, STANDARD_ERROR, 'pipe'],
    timeout: withinMs,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_BYTES,
  });
  const answer = String(output?.[ANSWER] ?? '');
  if (answer !== '') return JSON.parse(answer) as Described<T>;
  const timedOut = (error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT';
  const how = timedOut
    ? `is not loaded after ${withinMs / 1000} s`
    : `ended the process that loaded it (${signal ?? `exit code ${status}`})`;
  throw new JobDefinitionError(`ONCEFLOW_JOB=${env['ONCEFLOW_JOB']}: the module ${how}: it must do nothing but define the job`);
}

/** Node's, which this process has been given too. Not for a bundle: it is new each time, and what is kept of it would be of no use. */
function compileCacheFor(what: string): NodeJS.ProcessEnv {
  return what === 'bundle' ? {} : { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };
}

function faultOf({ name, message, stack, faults }: DescribedFault): Error {
  if (faults !== undefined) return new ConfigError(faults);
  if (name === 'JobDefinitionError') return new JobDefinitionError(message);
  return Object.assign(new Error(message), { name, stack });
}
