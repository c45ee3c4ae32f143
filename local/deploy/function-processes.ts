import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface FunctionProcess {
  /** The function's name. */
  readonly name: string;
  readonly pid: number;
}

/** The processes in which the emulator runs functions whose names begin with `prefix-`. */
export async function functionProcesses(prefix: string): Promise<FunctionProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,args='], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\n').flatMap((line): FunctionProcess[] => {
    // …/ministack-lambda-<function>-<eight random characters>/_worker.js
    const [, pid, name] = /^\s*(\d+) \S*node \S*ministack-lambda-(\S+)-[a-z0-9_]{8}\/_worker/.exec(line) ?? [];
    return pid === undefined || name?.startsWith(`${prefix}-`) !== true ? [] : [{ name, pid: Number(pid) }];
  });
}
