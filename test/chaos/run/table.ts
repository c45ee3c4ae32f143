import type { Totals } from './job-under-test.ts';

/** One fault that came to pass. */
export interface FaultDone {
  readonly kind: string;
  /** Seconds from the end of the fault until the job committed an epoch. */
  readonly untilCommitSeconds: number;
}

export function faultTable(kinds: readonly string[], faults: readonly FaultDone[]): string {
  const width = Math.max(...kinds.map(({ length }) => length));
  const rows = kinds.map((kind) =>
    rowOf(
      kind.padEnd(width),
      faults.filter((fault) => fault.kind === kind),
    ),
  );
  return [
    `  ${'fault'.padEnd(width)} ${'number'.padStart(6)}   seconds until the next commit: median, longest`,
    ...rows,
    rowOf('all'.padEnd(width), faults),
  ].join('\n');
}

function rowOf(name: string, faults: readonly FaultDone[]): string {
  const seconds = faults.map(({ untilCommitSeconds }) => untilCommitSeconds).sort((one, other) => one - other);
  const median = seconds[Math.floor(seconds.length / 2)];
  const shown = [median, seconds.at(-1)].map((value) => (value === undefined ? '–' : value.toFixed(1)).padStart(8)).join('');
  return `  ${name} ${String(faults.length).padStart(6)} ${shown}`;
}

export function totalsLine(totals: Totals): string {
  return (
    `${totals.epochs} epochs committed, ${totals.failedAttempts} attempts failed, ${totals.doubtful} commits were doubtful, ` +
    `${totals.republished} transactions were published again; the job was started ${totals.starts} times, ${totals.takeovers} of them over another`
  );
}
