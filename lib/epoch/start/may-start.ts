import { START_HOLDS_MS } from '../../config/ticks.ts';
import type { JobRow } from '../../ports/epoch-store.ts';

/** `explicit`: a person or a deployment starts the job. `revival`: a schedule looks whether it is to be started again. */
export type StartKind = 'explicit' | 'revival';

/** What an explicit start does while another coordinator holds the job. */
export type Takeover = 'allow' | 'refuse';

export type MayStart =
  /** Nobody holds the job. */
  | { readonly outcome: 'starts' }
  /** It ends another coordinator's tenure; `message` says whose. */
  | { readonly outcome: 'takes-over'; readonly message: string }
  | { readonly outcome: 'refused'; readonly message: string };

/**
 * May a coordinator take the lease of the job with this row (undefined: it has none)? Clocks decide liveness, never safety.
 * `deadHolders`: who is known to have died.
 */
export function mayStart(
  row: JobRow | undefined,
  nowMs: number,
  how: StartKind,
  takeover: Takeover,
  deadHolders: readonly string[] = [],
): MayStart {
  return how === 'explicit' ? mayStartExplicitly(row, nowMs, takeover, deadHolders) : mayBeRevived(row, nowMs, deadHolders);
}

function mayStartExplicitly(row: JobRow | undefined, nowMs: number, takeover: Takeover, deadHolders: readonly string[]): MayStart {
  if (row === undefined || !isLeaseLive(row, nowMs) || deadHolders.includes(row.holder)) return { outcome: 'starts' };
  if (takeover === 'allow')
    return {
      outcome: 'takes-over',
      message: `takes over job ${row.job} from ${holderOf(row)}, whose lease runs until ${leaseEnd(row, nowMs)}`,
    };
  return {
    outcome: 'refused',
    message:
      `job ${row.job} is held by ${holderOf(row)} until ${leaseEnd(row, nowMs)}, and this start must not take over (ONCEFLOW_TAKEOVER=refuse): ` +
      'stop that one first ("npx onceflow stop"), or start with ONCEFLOW_TAKEOVER=allow',
  };
}

/** A revival mends crashes only: what a person stopped, and what needs a person, it leaves alone. */
function mayBeRevived(row: JobRow | undefined, nowMs: number, deadHolders: readonly string[]): MayStart {
  const refused = (message: string): MayStart => ({ outcome: 'refused', message });
  if (row === undefined) return refused('there is no such job yet: its first start is an explicit one');
  if (row.desired === 'stopped')
    return refused(`job ${row.job} was asked to stop: "npx onceflow resume" or an explicit start lets it run again`);
  if (row.failure !== undefined)
    return refused(`job ${row.job} failed and waits for a person ("npx onceflow resume", or an explicit start): ${row.failure}`);
  if (isLeaseLive(row, nowMs) && !deadHolders.includes(row.holder))
    return refused(`job ${row.job} is held by ${holderOf(row)} until ${leaseEnd(row, nowMs)}`);
  return { outcome: 'starts' };
}

/**
 * Why a start is refused that was asked for at `askedAtMs`: so much later somebody may have stopped the job since, and it would
 * undo that. Undefined: it is not refused for its age.
 */
export function tooLate(askedAtMs: number, nowMs: number): string | undefined {
  if (nowMs - askedAtMs <= START_HOLDS_MS) return undefined;
  const instant = (ms: number) => new Date(ms).toISOString();
  return (
    `this start was asked for at ${instant(askedAtMs)}, and it is ${instant(nowMs)} here: it comes more than ${START_HOLDS_MS / 1000} s late, ` +
    'and what was asked for since counts. Nothing was started; ask again, and check the clock of the machine that asked'
  );
}

export function isLeaseLive(row: Pick<JobRow, 'leaseExpiresAtMs'>, nowMs: number): boolean {
  return row.leaseExpiresAtMs > nowMs;
}

/** Who holds the job, for people. */
export function holderOf({ generation, holder }: Pick<JobRow, 'generation' | 'holder'>): string {
  return `generation ${generation} of ${holder}`;
}

/** What the old coordinator says when it ends. */
export function takenOverBy(successor: JobRow, old: Pick<JobRow, 'generation' | 'holder'>, nowMs: number): string {
  const lease = isLeaseLive(successor, nowMs) ? `; its lease runs until ${leaseEnd(successor, nowMs)}` : '';
  return `${holderOf(successor)} has taken over job ${successor.job} from this one, ${holderOf(old)}${lease}`;
}

function leaseEnd({ leaseExpiresAtMs }: JobRow, nowMs: number): string {
  return `${new Date(leaseExpiresAtMs).toISOString()} (${Math.ceil((leaseExpiresAtMs - nowMs) / 1000)} s more)`;
}
