import { ClickHouseError } from '@clickhouse/client';
import { DeliveryRefusedError } from '../../api/index.ts';
import type { ClickHousePlace } from './place.ts';

/*
 * Names of ClickHouse's errors (its ErrorCodes.cpp, and system.errors) that a repeat of the same rows meets again: of the table, of the
 * login and its rights, and of rows that the columns do not hold. All others pass: load, keeper, memory, parts that wait for a merge.
 */
const OF_TABLE = [
  'UNKNOWN_TABLE',
  'UNKNOWN_DATABASE',
  'NO_SUCH_COLUMN_IN_TABLE',
  'UNKNOWN_IDENTIFIER',
  'NOT_IMPLEMENTED',
  'UNKNOWN_SETTING',
];
const OF_LOGIN = ['ACCESS_DENIED', 'AUTHENTICATION_FAILED', 'REQUIRED_PASSWORD', 'WRONG_PASSWORD', 'UNKNOWN_USER', 'READONLY'];
const OF_ROWS = [
  'INCORRECT_DATA',
  'TYPE_MISMATCH',
  'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN',
  'CANNOT_CONVERT_TYPE',
  'UNKNOWN_ELEMENT_OF_ENUM',
  'ARGUMENT_OUT_OF_BOUND',
  'VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE',
  'VIOLATED_CONSTRAINT',
];
const lasting = new Set([...OF_TABLE, ...OF_LOGIN, ...OF_ROWS]);

/** What the server refuses for as long as nobody changes something there. Undefined: it may take it the next time. */
export function refused(error: unknown, { database, table }: ClickHousePlace): DeliveryRefusedError | undefined {
  if (!(error instanceof ClickHouseError)) return undefined;
  const { type = '', code, message } = error;
  if (!lasting.has(type) && !type.startsWith('CANNOT_PARSE_')) return undefined;
  return new DeliveryRefusedError(`ClickHouse refuses rows for table ${database}.${table}: ${message} (${type}, code ${code})`);
}
