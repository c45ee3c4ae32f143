import { JobDefinitionError } from '../graph/job.ts';
import type { DynamoItem, DynamoWrite } from '../sinks/dynamodb/spec.ts';
import { expectKnown } from './known-options.ts';
import { refuseAsync } from './user-function.ts';

/** A table of DynamoDB as a job's output, for values of type `T`. Made by `dynamoSink`. */
export interface DynamoSink<T> {
  /** Which kind of sink it is. */
  readonly kind: 'dynamodb';
  /** As of the options. */
  readonly table: string;
  /** As of the options. */
  readonly ledgerTable: string;
  /** As of the options. Undefined: a value is its item. */
  readonly toWrite: ((value: T) => DynamoWrite) | undefined;
}

/** Which tables a `dynamoSink` writes to. */
export interface DynamoSinkOptions {
  /** The table's name. */
  readonly table: string;
  /**
   * The table that holds, for each subtask, the item that says how far it has written; in the same region. Its partition key is a string or
   * bytes. Items are named `onceflow#<job>#<incarnation>#<sink>#<subtask>`.
   * @default the table itself
   */
  readonly ledgerTable?: string;
}

/** The same for values that are no items. */
export interface DynamoWriteSinkOptions<T> extends DynamoSinkOptions {
  /** What to write for a value: `{ put: item }`, which replaces the item of its key, or `{ delete: key }`. Without it the value is the item. */
  readonly toWrite: (value: T) => DynamoWrite;
}

/**
 * Items of a table of DynamoDB. After an epoch's decision its writes are made in transactions of up to 99, each with the item that says how far the
 * subtask has come: each write is made once, in the order of epochs, and one that comes again, however late, changes nothing. Of
 * several writes to one key in one epoch and subtask the last is made. A throttled table slows the job down.
 *
 * Writes to one key keep their order when the stream is keyed by it, or by a part of it.
 *
 * @example
 * totals.sink(
 *   'write-totals',
 *   dynamoSink({
 *     table: 'totals',
 *     toWrite: ({ user, total }: Total) => (total === 0 ? { delete: { user } } : { put: { user, total } }),
 *   }),
 * );
 */
export function dynamoSink<T>(options: DynamoWriteSinkOptions<T>): DynamoSink<T>;
export function dynamoSink<T extends DynamoItem>(options: DynamoSinkOptions): DynamoSink<T>;
export function dynamoSink<T>(options: DynamoSinkOptions & Partial<DynamoWriteSinkOptions<T>>): DynamoSink<T> {
  const { table, ledgerTable = table, toWrite } = options;
  expectKnown(options, { table: true, ledgerTable: true, toWrite: true }, 'dynamoSink');
  checkTable(table, 'table');
  checkTable(ledgerTable, 'ledgerTable');
  if (toWrite !== undefined) refuseAsync(toWrite, `toWrite of the sink to table ${table}`);
  return { kind: 'dynamodb', table, ledgerTable, toWrite };
}

function checkTable(table: unknown, option: string): void {
  if (typeof table === 'string' && /^[a-zA-Z0-9_.-]{3,255}$/.test(table)) return;
  throw new JobDefinitionError(
    `dynamoSink: ${option} is ${JSON.stringify(table)}, and must be a table's name: 3 to 255 of A-Z a-z 0-9 _ . -`,
  );
}
