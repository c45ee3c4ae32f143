import type { Command } from '../commands.ts';
import type { SimProcess } from './process.ts';

export type Service = 'kafka' | 'table' | 'bucket' | 'functions' | 'target';

/** One call of a port by a process: where a fault can be put. */
export interface Call {
  /** Names the call in this run: process, api, and how often before. */
  readonly id: string;
  readonly caller: SimProcess;
  readonly service: Service;
  /** The port's method; of functions the ask: `invoke prepare`. */
  readonly api: string;
  /** What it is about, for the history: a transactional id, a blob's name. */
  readonly about: string;
  readonly atMs: number;
}

export type Fault =
  /** The calling process dies before the request is sent, or after it was carried out. */
  | { readonly fault: 'crash'; readonly when: 'before' | 'after' }
  /** It stands still, before the request is sent or after it was carried out. */
  | { readonly fault: 'freeze'; readonly when: 'before' | 'after'; readonly forMs: number }
  /** No answer; the request was carried out, or not. */
  | { readonly fault: 'lose'; readonly what: 'request' | 'answer' }
  /** No answer, and the request is carried out only then. */
  | { readonly fault: 'late'; readonly byMs: number }
  /** Not carried out, and the answer says so. */
  | { readonly fault: 'error' }
  | { readonly fault: 'slow'; readonly byMs: number }
  /** A function is run twice for one invocation. */
  | { readonly fault: 'twice'; readonly byMs: number }
  /** A function is run in a new process though a warm one is there. */
  | { readonly fault: 'cold' }
  /** Every process dies. */
  | { readonly fault: 'power-cut' }
  /** Another coordinator starts beside those that run. */
  | { readonly fault: 'rival' }
  /** A coordinator stands still before it sends the request, and another starts meanwhile. */
  | { readonly fault: 'depose'; readonly forMs: number }
  /** The coordinator is told to hand over; the next has another parallelism. */
  | { readonly fault: 'hand-over' }
  /** Somebody stops the job, and starts it again. */
  | { readonly fault: 'stop' }
  /** Somebody runs `onceflow stop` or `cancel`, while the process stands still; the job is started again later. */
  | { readonly fault: 'command'; readonly run: Command; readonly forMs: number }
  /** The next coordinators and new function processes run the other build. */
  | { readonly fault: 'update' }
  /** The process's wall clock steps, ahead or (below 0) back. */
  | { readonly fault: 'clock-step'; readonly byMs: number }
  /** Nobody reaches the service. */
  | { readonly fault: 'outage'; readonly forMs: number }
  /** The calling process does not reach the service. */
  | { readonly fault: 'partition'; readonly forMs: number };

export type FaultKind = Fault['fault'];

/** Says which fault, if any, befalls a call. */
export type Faults = (call: Call) => Fault | undefined;

export function describeFault(fault: Fault): string {
  const { fault: kind, ...rest } = fault;
  return [kind, ...Object.values(rest).map((value) => (typeof value === 'number' ? `${Math.round(value)} ms` : value))].join(' ');
}
