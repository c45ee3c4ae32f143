import type { Outcome } from './world-options.ts';

/** What happened in many runs: plain numbers, so that those of several processes can be added. */
export interface Tally {
  seeds: number;
  epochs: number;
  events: number;
  virtualMs: number;
  readonly faults: Record<string, number>;
  /** What the faults led to. */
  readonly effects: Record<string, number>;
  readonly failed: { readonly seed: number; readonly violations: Outcome['violations'] }[];
}

export function newTally(): Tally {
  return { seeds: 0, epochs: 0, events: 0, virtualMs: 0, faults: {}, effects: {}, failed: [] };
}

export function addOutcome(tally: Tally, outcome: Outcome): void {
  tally.seeds++;
  tally.epochs += outcome.epochs;
  tally.events += outcome.events;
  tally.virtualMs += outcome.virtualMs;
  for (const { fault, call } of outcome.injected) add(tally.faults, nameOf(fault, call.service), 1);
  if (outcome.forgotten > 0) add(tally.faults, 'end of a transaction forgotten in a partition (Kafka)', outcome.forgotten);
  if (outcome.manifestsInBlobs > 0) add(tally.faults, 'manifest too large for a row (DynamoDB)', outcome.manifestsInBlobs);
  for (const [what, n] of Object.entries(outcome.brokerFaults)) add(tally.faults, `${what} (Kafka)`, n);
  for (const [what, n] of Object.entries(outcome.diskFaults)) add(tally.faults, `${what} (local disk)`, n);
  for (const event of outcome.observed) {
    if (event.event === 'lease-taken') add(tally.effects, 'coordinators that took the lease', 1);
    if (event.event === 'attempt-failed')
      add(tally.effects, `attempts failed: ${event.kind === 'stale' ? 'another build' : event.kind}`, 1);
    if (event.event === 'rescaled') add(tally.effects, 'stages rescaled while the job runs', 1);
    if (event.event === 'doubtful') add(tally.effects, `doubtful commits: ${event.resolution.split(':')[0]}`, 1);
    if (event.event === 'leaves-out') add(tally.effects, 'records found to be poison and left out', 1);
    if (event.event === 'dead-lettered') add(tally.effects, 'records in decided dead letters', event.records);
    if (event.event === 'data-loss') add(tally.effects, 'gaps in the input, said', 1);
    if (event.event === 'no-progress') add(tally.effects, 'jobs without progress', 1);
    if (event.event === 'started-from') add(tally.effects, 'starts from a savepoint', 1);
    if (event.event === 'collected') add(tally.effects, 'blobs collected', event.blobs);
  }
  add(tally.effects, 'incarnations', outcome.lives);
  for (const { outcome: how } of outcome.commands) add(tally.effects, `commands ended: ${how}`, 1);
  for (const how of outcome.savepoints) add(tally.effects, `savepoints ${how}`, 1);
  for (const { end } of outcome.ends) add(tally.effects, `coordinators ended: ${end}`, 1);
  if (outcome.violations.length > 0) tally.failed.push({ seed: outcome.seed, violations: outcome.violations });
}

function nameOf(fault: Outcome['injected'][number]['fault'], service: string): string {
  const where = service === 'kafka' ? 'Kafka' : service === 'table' ? 'DynamoDB' : service === 'bucket' ? 'S3' : 'functions';
  switch (fault.fault) {
    case 'crash':
      return `crash ${fault.when} a request (${where})`;
    case 'freeze':
      return `process frozen (${where})`;
    case 'lose':
      return `${fault.what} lost (${where})`;
    case 'late':
      return `request carried out late (${where})`;
    case 'error':
      return `error answered (${where})`;
    case 'slow':
      return `slow request (${where})`;
    case 'outage':
      return `outage (${where})`;
    case 'partition':
      return `partition (${where})`;
    case 'twice':
      return 'function run twice';
    case 'cold':
      return 'function started cold';
    case 'power-cut':
      return 'everything crashes at once';
    case 'depose':
      return 'coordinator frozen and succeeded';
    case 'rival':
      return 'second coordinator';
    case 'hand-over':
      return 'hand-over';
    case 'stop':
      return 'stop, and start again';
    case 'command':
      return `onceflow ${fault.run === 'delete' ? 'cancel, and delete' : fault.run}`;
    case 'clock-step':
      return `wall clock steps ${fault.byMs < 0 ? 'back' : 'ahead'}`;
    case 'update':
      return 'update to another build';
  }
}

export function addTally(into: Tally, other: Tally): void {
  into.seeds += other.seeds;
  into.epochs += other.epochs;
  into.events += other.events;
  into.virtualMs += other.virtualMs;
  for (const [name, n] of Object.entries(other.faults)) add(into.faults, name, n);
  for (const [name, n] of Object.entries(other.effects)) add(into.effects, name, n);
  into.failed.push(...other.failed);
}

function add(counts: Record<string, number>, name: string, n: number): void {
  counts[name] = (counts[name] ?? 0) + n;
}

export function tableOf(title: string, counts: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counts).sort(([left], [right]) => (left < right ? -1 : 1));
  const width = Math.max(title.length, ...rows.map(([name]) => name.length));
  const line = (name: string, n: string) => `  ${name.padEnd(width)}  ${n.padStart(10)}`;
  const total = rows.reduce((sum, [, n]) => sum + n, 0);
  return [line(title, ''), ...rows.map(([name, n]) => line(name, String(n))), line('total', String(total))].join('\n');
}
