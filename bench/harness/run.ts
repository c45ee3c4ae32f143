import { type Arena, committedOffsets, type Program, type ProgramRun } from './arena.ts';
import type { Options } from './options.ts';
import type { Peer } from './peers.ts';
import { proportionalMb, type Usage, usageOf } from './processes.ts';

/** One run of one program. */
export interface Run {
  readonly arena: Arena;
  readonly peer: Peer;
  readonly options: Options;
  readonly id: string;
  readonly input: string;
  readonly output: string;
  readonly intervalMs: number;
  /** Starts the program, or starts it again. The runner stops what was started last. */
  start(again?: Pick<ProgramRun, 'restore' | 'emulatorEndpoint'>): Promise<Program>;
}

export interface Measured {
  /** By name, the unit last. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly details?: unknown;
}

/** What a mode measures, and how its runs are told apart. */
export interface ModeOf {
  readonly peers: readonly string[];
  readonly intervalMs: number;
  /** What the results depend on, besides the peer. */
  readonly setting: (options: Options) => Record<string, string | number>;
  /** The shape of the input, for the check. */
  readonly shape: (options: Options) => string;
  readonly measure: (run: Run) => Promise<Measured>;
}

/** Memory of the session when it rests: resident, and with what processes share counted once. */
export function memoryOf(session: number): { readonly rssMb: number; readonly pssMb: number } {
  const usage = usageOf(session);
  return { rssMb: usage.rssMb, pssMb: proportionalMb(usage.pids) };
}

/** CPU seconds that the broker and the emulator use from now on. */
export function watchServers({ brokerSession, emulatorSession }: Arena): () => { brokerCpuSeconds: number; emulatorCpuSeconds: number } {
  const cpu = (session: number) => usageOf(session).cpuSeconds;
  const broker = cpu(brokerSession);
  const emulator = cpu(emulatorSession);
  return () => ({ brokerCpuSeconds: cpu(brokerSession) - broker, emulatorCpuSeconds: cpu(emulatorSession) - emulator });
}

export function cpuBetween(before: Usage, after: Usage): number {
  return after.cpuSeconds - before.cpuSeconds;
}

/** Throws when the program has ended by itself. */
export function mustRun(program: Program): void {
  const how = program.ended();
  if (how !== undefined) throw new Error(`the program ended with ${how}:\n${program.logTail()}`);
}

const LOOK_EVERY_MS = 20;

/** Looks at the output's committed end again and again until `done`; answers when that was. Nothing is read, so it costs the programs little. */
export async function untilCommitted(
  { arena, output, options }: Run,
  program: Program,
  done: (offsets: number, nowMs: number) => boolean,
  everyMs: number = LOOK_EVERY_MS,
): Promise<number> {
  const deadlineMs = Date.now() + options.timeoutSeconds * 1000;
  for (;;) {
    const offsets = await committedOffsets(arena.kafka, output);
    const nowMs = Date.now();
    if (done(offsets, nowMs)) return nowMs;
    mustRun(program);
    if (nowMs > deadlineMs)
      throw new Error(`it was not done within ${options.timeoutSeconds} s (--timeout): ${offsets} offsets are committed`);
    await pause(everyMs);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
