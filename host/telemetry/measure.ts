import { ofName } from '../../lib/config/by-name.ts';
import type { SeriesName } from '../../lib/config/series.ts';
import type { EpochFigures } from '../../lib/epoch/progress/epoch-figures.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { Clock } from '../../lib/ports/clock.ts';

export type Labels = Readonly<Record<string, string>>;

/** Where measurements go. */
export interface Instruments {
  /** To a counter. */
  add(name: SeriesName, by: number, labels?: Labels): void;
  /** A gauge. */
  set(name: SeriesName, to: number, labels?: Labels): void;
  /** To a histogram. */
  record(name: SeriesName, seconds: number, labels?: Labels): void;
  /** Of these gauges nothing is known any more. */
  forget(names: readonly SeriesName[]): void;
}

/** What only the process knows that runs the job. */
const OF_THE_HOLDER: readonly SeriesName[] = [
  'onceflow.records.behind',
  'onceflow.records.held_up',
  'onceflow.watermark.timestamp',
  'onceflow.partition.watermark.timestamp',
  'onceflow.state.size',
  'onceflow.last_commit.timestamp',
  'onceflow.no_progress',
];

/** Measures what the coordinators of a process do, one after the other. */
export function measureJob(to: Instruments, clock: Clock): (event: CoordinatorEvent) => void {
  to.set('onceflow.job.held', 0);
  to.set('onceflow.job.failed', 0);

  function committed(of: EpochFigures, commitMs: number): void {
    to.add('onceflow.epochs.committed', 1);
    to.add('onceflow.records.read', of.recordsIn);
    to.add('onceflow.records.written', of.recordsOut);
    to.add('onceflow.input', of.bytesIn);
    to.record('onceflow.epoch.duration', of.epochMs / 1_000);
    phase('source', of.sourceMs);
    phase('operator', of.operatorMs);
    phase('sink', of.sinkMs);
    phase('decide', of.decisionMs);
    phase('commit', commitMs);
    if (of.lagMs !== undefined) to.record('onceflow.end_to_end.lag', of.lagMs / 1_000);
    to.set('onceflow.state.size', of.stateBytes);
    to.set('onceflow.last_commit.timestamp', clock.now() / 1_000);
    to.set('onceflow.no_progress', 0);
    partitions(of);
  }

  function partitions({ behind, time }: EpochFigures): void {
    for (const [source, topics] of Object.entries(behind))
      for (const [topic, offsets] of Object.entries(topics))
        for (const [partition, records] of offsets.entries()) {
          const labels = { source, topic, partition: `${partition}` };
          to.set('onceflow.records.behind', records, labels);
          const watermarkMs = ofName(ofName(time?.sources ?? {}, source)?.partitions ?? {}, topic)?.[partition]?.watermarkMs;
          if (watermarkMs !== undefined) to.set('onceflow.partition.watermark.timestamp', watermarkMs / 1_000, labels);
        }
    for (const [stage, watermarkMs] of Object.entries(time?.stages ?? {}))
      to.set('onceflow.watermark.timestamp', watermarkMs / 1_000, { stage });
  }

  function phase(name: string, ms: number | undefined): void {
    if (ms !== undefined) to.record('onceflow.epoch.phase.duration', ms / 1_000, { phase: name });
  }

  return (event) => {
    switch (event.event) {
      case 'lease-taken':
        to.set('onceflow.job.held', 1);
        return to.set('onceflow.job.failed', 0);
      case 'planned':
        return phase('plan', event.ms);
      case 'committed':
        if (event.republished > 0) to.add('onceflow.transactions.republished', event.republished);
        return committed(event.figures, event.ms);
      case 'recovered':
        return to.add('onceflow.transactions.republished', event.republished);
      case 'attempt-failed':
        return to.add('onceflow.attempts.failed', 1, { stage: event.stage, kind: event.kind });
      case 'doubtful':
        return to.add('onceflow.commits.doubtful', 1);
      case 'dead-lettered':
        return to.add('onceflow.dead_letters', event.records);
      case 'late':
        if (event.dropped > 0) to.add('onceflow.late', event.dropped, { fate: 'dropped' });
        if (event.passedOn > 0) to.add('onceflow.late', event.passedOn, { fate: 'passed-on' });
        return;
      case 'held-up':
        return to.set('onceflow.records.held_up', event.records);
      case 'no-progress':
        return to.set('onceflow.no_progress', event.forMs / 1_000);
      case 'progress-again':
        return to.set('onceflow.no_progress', 0);
      case 'still-failed':
        return to.set('onceflow.job.failed', 1);
      case 'ended':
        to.set('onceflow.job.held', 0);
        to.forget(OF_THE_HOLDER);
        if (event.end === 'failed') to.set('onceflow.job.failed', 1);
        return;
      // Nothing is measured of them.
      case 'takes-over':
      case 'stands-by':
      case 'started-from':
      case 'graph-changed':
      case 'start-passed-over':
      case 'starting-offsets':
      case 'rescaled':
      case 'data-loss':
      case 'stage-started':
      case 'stage-done':
      case 'leaves-out':
      case 'decided':
      case 'leftovers-ended':
      case 'throttled':
      case 'left-alone':
      case 'waiting':
      case 'collected':
      case 'warning':
      case 'hanging-transaction':
        return;
      default:
        event satisfies never;
    }
  };
}
