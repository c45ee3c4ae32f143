import type { ConfigOf } from '../lib/config/parameters.ts';
import type { CoordinatorEvent, Level } from '../lib/epoch/progress/events.ts';
import { createEventLines } from './event-lines.ts';
import { logLine } from './log.ts';
import type { Host } from './process.ts';

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];
/** What stays as it is is said again after this long. */
const SAY_AGAIN_MS = 60_000;

/** Logs what the coordinators of a process do, one after the other: lines below ONCEFLOW_LOG_LEVEL are left out. */
export function observeAsProcess({ config, job, clock }: Pick<Host, 'config' | 'job' | 'clock'>): (event: CoordinatorEvent) => void {
  const { logLevel }: ConfigOf<'host'> = config;
  const lineOf = createEventLines();
  const saidMs = new Map<string, number>();
  return (event) => {
    const line = lineOf(event);
    // It is why nothing runs.
    const level = event.event === 'left-alone' ? 'info' : line.level;
    if (LEVELS.indexOf(level) < LEVELS.indexOf(logLevel)) return;
    // A coordinator that waits looks twice a second, and finds the same.
    if (event.event === 'stands-by' || event.event === 'still-failed' || event.event === 'left-alone') {
      if (clock.elapsedMs() - (saidMs.get(event.event) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN_MS) return;
      saidMs.set(event.event, clock.elapsedMs());
    }
    logLine(level, line.message, { job: job.name, ...line.fields });
  };
}
