import { readdirSync, readFileSync } from 'node:fs';

/** What all processes of a session have used so far. */
export interface Usage {
  readonly atMs: number;
  /** User and system time, with that of children that have ended. */
  readonly cpuSeconds: number;
  readonly rssMb: number;
  /** The sum of each process's own peak: not less than the peak of the sum. */
  readonly peakMb: number;
  readonly pids: readonly number[];
}

/** Linux counts processor time for programs in hundredths of a second, whatever the kernel's own clock. */
const TICKS_A_SECOND = 100;

/** Processes that have ended are not in it, unless their parent is one of the session. */
export function usageOf(session: number): Usage {
  let cpuSeconds = 0;
  let rssMb = 0;
  let peakMb = 0;
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 0)) continue;
    const stat = fieldsOf(pid);
    if (stat === undefined || Number(stat[3]) !== session) continue;
    pids.push(pid);
    for (const ticks of stat.slice(11, 15)) cpuSeconds += Number(ticks) / TICKS_A_SECOND;
    const status = textOf(`/proc/${pid}/status`);
    rssMb += kilobytes(status, 'VmRSS') / 1024;
    peakMb += kilobytes(status, 'VmHWM') / 1024;
  }
  return { atMs: Date.now(), cpuSeconds, rssMb, peakMb, pids };
}

/** Megabytes in memory, where pages that processes share are counted once. The kernel walks all pages for it. */
export function proportionalMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kilobytes(textOf(`/proc/${pid}/smaps_rollup`), 'Pss') / 1024, 0);
}

export function commandOf(pid: number): readonly string[] {
  return textOf(`/proc/${pid}/cmdline`).split('\0');
}

/** Of /proc/<pid>/stat, behind the name, which may hold anything: state, parent, group, session, … */
function fieldsOf(pid: number): string[] | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

/** A process may end at any time. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Looks at a session again and again, and remembers. */
export interface Meter {
  readonly samples: readonly Usage[];
  /** The first look at or after that time, or a look now. */
  at(ms: number): Usage;
  peakMb(): number;
  stop(): void;
}

const LOOK_EVERY_MS = 250;

export function startMeter(session: number): Meter {
  const samples = [usageOf(session)];
  const look = () => {
    const usage = usageOf(session);
    samples.push(usage);
    return usage;
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    samples,
    at: (ms) => samples.find(({ atMs }) => atMs >= ms) ?? look(),
    peakMb: () => Math.max(...samples.map(({ peakMb }) => peakMb)),
    stop: () => clearInterval(timer),
  };
}
