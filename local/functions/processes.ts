import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stage } from '../../lib/plan/plan.ts';
import type { FunctionTarget } from '../../lib/ports/function-invoker.ts';
import type { FunctionSocket } from './socket-call.ts';

/** Compiled modules are kept between starts: a function is up in half the time. */
export const COMPILE_CACHE = join(tmpdir(), 'onceflow-compile-cache');

/** One function process of a job on this machine, as one function of a deployment. */
export interface FunctionProcess {
  readonly name: string;
  /** `any`: every stage's. */
  readonly role: 'coordinator' | FunctionTarget['role'] | 'any';
}

/**
 * The function processes of a job: one coordinator, one process for each source subtask, each operator subtask (it
 * keeps that subtask's state warm), and each sink stage.
 */
export function processesOf(stages: readonly Stage[], parallelism: (stage: string) => number): FunctionProcess[] {
  const workers = stages.flatMap((stage) => {
    const subtasks = Array.from({ length: parallelism(stage.id) }, (_, subtask) => ({ role: stage.kind, stage: stage.id, subtask }));
    return subtasks.map((target): FunctionProcess => ({ name: processName(target), role: target.role }));
  });
  const distinct = [...new Map(workers.map((worker) => [worker.name, worker])).values()];
  return [...distinct, { name: 'coordinator', role: 'coordinator' }];
}

/** One process for the functions of all stages, and the coordinator's. */
export const TOGETHER: readonly FunctionProcess[] = [
  { name: 'functions', role: 'any' },
  { name: 'coordinator', role: 'coordinator' },
];

function processName(target: FunctionTarget): string {
  return target.role === 'operator' || target.role === 'source'
    ? `${target.role}-${target.stage}-${target.subtask}`
    : `${target.role}-${target.stage}`;
}

/** Where the coordinator of such a job asks for a function: at its own process, or at the one of all. */
export function socketOf(dir: string, target: FunctionTarget, asks: 'each' | 'one'): FunctionSocket {
  const name = asks === 'one' ? 'functions' : processName(target);
  return { socketPath: join(dir, `${name}.sock`), path: `/${target.role}` };
}
