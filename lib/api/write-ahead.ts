import type { Serde } from '../format/serde.ts';
import { structured } from '../format/serdes.ts';
import { JobDefinitionError } from '../graph/job.ts';
import type { DeliveryPlace, DeliveryStart } from '../sinks/deliver/spec.ts';
import { type EveryOption, expectKnown } from './known-options.ts';
import { expectSerde } from './user-serde.ts';
import { expectWhole } from './whole-number.ts';

/** A function as a job's output, for values of type `T`. Made by `writeAheadSink`. */
export interface WriteAheadSink<T> {
  /** Which kind of sink it is. */
  readonly kind: 'deliver';
  /** As of the options. */
  readonly value: Serde<unknown>;
  /** As of the options. */
  readonly deliver: (rows: readonly T[], place: DeliveryPlace) => unknown;
  /** As of the options. Undefined: nobody is asked. */
  readonly delivered: ((place: DeliveryStart) => unknown) | undefined;
  /** As of the options. */
  readonly maxBatchRows: number;
  /** As of the options. */
  readonly maxBatchBytes: number;
}

/** How a `writeAheadSink` brings rows to their target. */
export interface WriteAheadSinkOptions<T> {
  /**
   * Brings rows to the target, and returns (or resolves) when the target has them for good. What it throws is taken for an outage: it
   * is called again with the same rows and the same place, until it returns. Then the job waits, and says so. It throws a
   * `DeliveryRefusedError` for what the target will never take.
   *
   * It is called in the order of epochs, and of batches within one; those of other subtasks beside it.
   */
  readonly deliver: (rows: readonly T[], place: DeliveryPlace) => void | PromiseLike<void>;
  /**
   * How many batches of this epoch and subtask the target has, by whatever `deliver` leaves there with them. Asked when a try begins that
   * was not told by the one before: the delivery goes on behind them.
   * @default none: it goes on behind those that were answered, and after a crash with the first
   */
  readonly delivered?: (place: DeliveryStart) => number | PromiseLike<number>;
  /**
   * How rows are kept between the decision and their delivery.
   * @default structured
   */
  readonly value?: Serde<T>;
  /** Rows in one call at most, 1 to 1,000,000. @default 1000 */
  readonly maxBatchRows?: number;
  /** Bytes of their encoding in one call at most, 1 to 67,108,864; a row that is larger comes alone. @default 1048576 */
  readonly maxBatchBytes?: number;
}

const OPTIONS: EveryOption<WriteAheadSinkOptions<unknown>> = {
  deliver: true,
  delivered: true,
  value: true,
  maxBatchRows: true,
  maxBatchBytes: true,
};

const MOST_ROWS = 1_000_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * A function as a target: the rows of an epoch are kept until the epoch is decided, then given to `deliver` until it answers. None is
 * lost, none comes before its epoch is decided, and none changes: a repeat has the same rows, in the same batches, under the same
 * `place.id`. So a target that keeps the id with the rows, or is idempotent, has each row exactly once; any other has it at least once.
 *
 * @example
 * orders.sink(
 *   'to-warehouse',
 *   writeAheadSink<Order>({
 *     async deliver(rows, { id, signal }) {
 *       const headers = { 'idempotency-key': id };
 *       const answer = await fetch('https://warehouse.example/rows', { method: 'POST', headers, body: JSON.stringify(rows), signal });
 *       if (answer.status === 400) throw new DeliveryRefusedError(await answer.text());
 *       if (!answer.ok) throw new Error(`the warehouse answered ${answer.status}`);
 *     },
 *   }),
 * );
 */
export function writeAheadSink<T>(options: WriteAheadSinkOptions<T>): WriteAheadSink<T> {
  const { deliver, delivered, value = structured, maxBatchRows = 1000, maxBatchBytes = 1024 * 1024 } = options;
  expectKnown(options, OPTIONS, 'writeAheadSink');
  expectFunction(deliver, 'writeAheadSink: deliver');
  if (delivered !== undefined) expectFunction(delivered, 'writeAheadSink: delivered');
  expectSerde(value, 'writeAheadSink: value');
  if (value.prepare !== undefined || value.needsTopic === true)
    throw new JobDefinitionError(
      `writeAheadSink: value is the serde ${value.name}, which works with a schema registry or a topic, and must be one that needs neither: structured, json()`,
    );
  expectWhole(maxBatchRows, 'writeAheadSink: maxBatchRows', 1, MOST_ROWS);
  expectWhole(maxBatchBytes, 'writeAheadSink: maxBatchBytes', 1, MOST_BYTES);
  return { kind: 'deliver', value: value as Serde<unknown>, deliver, delivered, maxBatchRows, maxBatchBytes };
}

function expectFunction(value: unknown, where: string): void {
  if (typeof value !== 'function') throw new JobDefinitionError(`${where} is ${typeof value}, not a function`);
}
