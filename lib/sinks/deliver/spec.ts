import type { Serde } from '../../format/serde.ts';

/** A function of a job's author that brings rows to some target, as the author gave it. */
export interface DeliverSinkSpec {
  readonly kind: 'deliver';
  readonly value: Serde<unknown>;
  readonly deliver: (rows: readonly unknown[], place: DeliveryPlace) => unknown;
  readonly delivered: ((place: DeliveryStart) => unknown) | undefined;
  readonly maxBatchRows: number;
  readonly maxBatchBytes: number;
}

/** The same in a plan. */
export interface DeliverTarget {
  readonly kind: 'deliver';
}

/** What one sink subtask has decided to deliver in one epoch: the same at every try, in whichever process. */
export interface DeliveryStart {
  /** The job's name. */
  readonly job: string;
  /** Another one after the job was deleted and made anew, or was started from a savepoint: its epochs are others, whatever their numbers. */
  readonly incarnation: string;
  /** The sink's uid. */
  readonly sink: string;
  /** Of the sink, from 0. */
  readonly subtask: number;
  /** Whose rows they are. Epochs are delivered one after the other. */
  readonly epoch: number;
  /** When it aborts, the time of this try is over: what comes of it later is not waited for, and it is tried again. */
  readonly signal: AbortSignal;
}

/** Where a batch of rows is from. */
export interface DeliveryPlace extends DeliveryStart {
  /** Which of the epoch's batches, from 0 on. */
  readonly batch: number;
  /** All of it in one text. Two calls with the same id have the same rows. */
  readonly id: string;
}
