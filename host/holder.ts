import { hostname } from 'node:os';

/** Who holds a job whose coordinator is a process of this machine, for people. */
export function holderOfProcess(pid: number): string {
  return `${hostname()} process ${pid}`;
}
