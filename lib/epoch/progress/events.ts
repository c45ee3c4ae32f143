import type { Late, LateByOperator } from '../../protocol/event-time.ts';
import type { CondemnedRecord } from '../../protocol/requests.ts';
import type { Names, SinkEvent } from '../../sinks/connector.ts';
import type { Gap } from '../planning/plan.ts';
import type { EpochFigures } from './epoch-figures.ts';

/** What a coordinator does, as it happens: for logs, metrics and the demo. No decision reads it. */
export type CoordinatorEvent =
  /** Says whose job it is that this coordinator takes over. */
  | { readonly event: 'takes-over'; readonly message: string }
  /** Waits, without the lease, for the end of the coordinator that holds the job. */
  | { readonly event: 'stands-by'; readonly message: string }
  | {
      readonly event: 'lease-taken';
      readonly generation: number;
      readonly incarnation: string;
      readonly lastCompleted: number | undefined;
      readonly lastCommitted: number;
      /** How often somebody had asked the job to stop. */
      readonly stops: number;
    }
  /**
   * The job goes on in another incarnation, from an epoch of before. `added`: what starts empty. `renamed`: what goes on under another
   * name. `dropped`: uids that were left behind. `sourceOffsets`: where its sources go on, if not at its offsets.
   */
  | {
      readonly event: 'started-from';
      readonly from: string;
      readonly epoch: number;
      readonly incarnation: string;
      readonly left: string;
      readonly added: readonly string[];
      readonly renamed: readonly string[];
      readonly dropped: readonly string[];
      readonly sourceOffsets?: string | undefined;
    }
  /** The job goes on where it was with a graph that is another one. As above. */
  | { readonly event: 'graph-changed'; readonly added: readonly string[]; readonly renamed: readonly string[] }
  /** A start from a savepoint that was asked for, or is configured, is not done: it was done before, say. */
  | { readonly event: 'start-passed-over'; readonly message: string }
  | { readonly event: 'starting-offsets'; readonly epoch: number; readonly offsets: unknown }
  /** Epochs can run: it is decided where every source reads from. */
  | {
      readonly event: 'recovered';
      readonly epoch: number;
      readonly committed: number;
      readonly republished: number;
      readonly settledIds: number;
    }
  | {
      readonly event: 'planned';
      readonly epoch: number;
      readonly decisionId: string;
      readonly inFlight: number;
      readonly backlogRecords: number;
      /** How long planning took. Undefined: a time that had come was planned for, or nobody measured. */
      readonly ms?: number | undefined;
    }
  /** From this epoch on a stage has another number of subtasks. */
  | {
      readonly event: 'rescaled';
      readonly epoch: number;
      readonly stage: string;
      readonly from: number;
      readonly to: number;
      readonly why: string;
    }
  /** Input was gone before it was read, and the job goes on without it (ONCEFLOW_ON_DATA_LOSS=earliest). */
  | ({ readonly event: 'data-loss'; readonly epoch: number; readonly message: string } & Gap)
  | { readonly event: 'stage-started'; readonly epoch: number; readonly stage: string }
  | { readonly event: 'stage-done'; readonly epoch: number; readonly stage: string; readonly ms: number }
  | {
      readonly event: 'attempt-failed';
      readonly epoch: number;
      readonly stage: string;
      readonly kind: string;
      readonly message: string;
      readonly failuresInARow: number;
      readonly retryInMs: number;
    }
  /** User code keeps failing at this record: the next epoch sends it to the dead-letter topic. */
  | ({ readonly event: 'leaves-out'; readonly epoch: number } & CondemnedRecord)
  /** So many records of a decided epoch are in the dead-letter topic in place of being processed. */
  | { readonly event: 'dead-lettered'; readonly epoch: number; readonly records: number }
  /** Values of a decided epoch came too late for an operator. `operators`: for which. */
  | ({ readonly event: 'late'; readonly epoch: number; readonly operators: LateByOperator } & Late)
  /** There is work to do, and nothing was decided or committed since then. Said again each time the wait has doubled. */
  | {
      readonly event: 'no-progress';
      readonly sinceMs: number;
      readonly forMs: number;
      readonly failuresInARow: number;
      readonly lastError: string | undefined;
    }
  | { readonly event: 'progress-again'; readonly afterMs: number }
  | { readonly event: 'decided'; readonly epoch: number; readonly recordsIn: number; readonly recordsOut: number; readonly ms: number }
  | {
      readonly event: 'committed';
      readonly epoch: number;
      readonly republished: number;
      /** Of the commit alone. */
      readonly ms: number;
      readonly figures: EpochFigures;
    }
  /** Something was open that is the job's and of no epoch: it was ended, between two epochs. */
  | { readonly event: 'leftovers-ended' }
  /** What a connector has to say: a warning, or that readers are held up by what is not the job's. */
  | SinkEvent
  /** Offsets of the source topics that nobody can read yet: transactions of others are open before them. Each half minute while it is so. */
  | { readonly event: 'held-up'; readonly records: number }
  /** `names`: those that the connector gives to what is in doubt. */
  | { readonly event: 'doubtful'; readonly epoch: number; readonly names: Names; readonly resolution: string }
  /** The platform refused to run this function: too many are running. */
  | { readonly event: 'throttled'; readonly function: string }
  /** There is nothing to start: the job is held well, was stopped, has failed, or is not known. */
  | { readonly event: 'left-alone'; readonly message: string }
  /** A tick found a job that failed, and left it alone. */
  | { readonly event: 'still-failed'; readonly message: string }
  | { readonly event: 'waiting'; readonly what: string; readonly forMs: number }
  | { readonly event: 'collected'; readonly blobs: number; readonly retired: number }
  | { readonly event: 'ended'; readonly end: string; readonly message: string };

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** How urgent an event is, for logs and what watches them. */
export function levelOf(event: CoordinatorEvent): Level {
  switch (event.event) {
    case 'ended':
      return event.end === 'failed' ? 'error' : 'info';
    case 'no-progress':
    case 'still-failed':
      return 'error';
    case 'late':
      return event.dropped > 0 ? 'info' : 'debug';
    case 'attempt-failed':
    case 'leaves-out':
    case 'dead-lettered':
    case 'data-loss':
    case 'doubtful':
    case 'hanging-transaction':
    case 'throttled':
    case 'waiting':
    case 'warning':
      return 'warn';
    // Several for each epoch of a job that is well: the metrics sum them up.
    case 'planned':
    case 'stage-started':
    case 'stage-done':
    case 'decided':
    case 'committed':
    case 'collected':
    case 'held-up':
    // Of a schedule, each minute.
    case 'left-alone':
      return 'debug';
    case 'takes-over':
    case 'stands-by':
    case 'lease-taken':
    case 'started-from':
    case 'graph-changed':
    case 'start-passed-over':
    case 'starting-offsets':
    case 'recovered':
    case 'rescaled':
    case 'progress-again':
    case 'leftovers-ended':
      return 'info';
  }
}

/** Names that a connector gives, for a line of text. */
export function inWords(names: Names): string {
  return Object.values(names).join(', ');
}
