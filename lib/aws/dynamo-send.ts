import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  TransactionCanceledException,
  TransactionConflictException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { jittered } from '../ports/pause.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { type AwsCall, problemOf } from './aws-problem.ts';
import type { Attributes } from './dynamo-rows.ts';

/** A write that meets a transaction on its row is refused, not queued. The transaction takes milliseconds. */
const CONFLICT_PAUSES_MS = [5, 10, 20, 40, 80, 160, 320];

export interface Store {
  readonly client: DynamoDBClient;
  readonly table: string;
}

/** A failed condition as a value, with the row that failed it when the command asked for it. */
export async function conditional<T>(
  write: () => Promise<T>,
): Promise<{ readonly outcome: 'done'; readonly output: T } | { readonly outcome: 'failed'; readonly item: Attributes | undefined }> {
  try {
    return { outcome: 'done', output: await write() };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return { outcome: 'failed', item: error.Item };
    throw error;
  }
}

/** Repeats what met another write's transaction; explains every other failure. Everything sent through it is idempotent. */
export async function send<T>(store: Store, action: string, call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      const pauseMs = CONFLICT_PAUSES_MS[tries];
      if (pauseMs === undefined || !(error instanceof TransactionConflictException)) throw await problem(store, action, error);
      await sleep(jittered(pauseMs, Math.random()));
    }
  }
}

/**
 * All or none of these, by conditions that know what an earlier try has done. `refused`: one of them failed.
 * @throws StoreProblem: no clear answer, or it was not allowed
 */
export async function transact(store: Store, items: TransactWriteItem[]): Promise<'done' | 'refused'> {
  for (let tries = 0; ; tries++) {
    try {
      await store.client.send(new TransactWriteItemsCommand({ TransactItems: items }));
      return 'done';
    } catch (error) {
      const codes = cancellationCodes(error);
      if (codes.has('ConditionalCheckFailed')) return 'refused';
      const pauseMs = CONFLICT_PAUSES_MS[tries];
      if (pauseMs === undefined || !codes.has('TransactionConflict')) throw await problem(store, 'TransactWriteItems', error);
      await sleep(jittered(pauseMs, Math.random()));
    }
  }
}

/** Why DynamoDB cancelled a transaction; empty when it is another error. */
export function cancellationCodes(error: unknown): ReadonlySet<string | undefined> {
  return new Set(error instanceof TransactionCanceledException ? error.CancellationReasons?.map((reason) => reason.Code) : []);
}

export function problem({ client, table }: Store, action: string, error: unknown): Promise<unknown> {
  return problemOf(error, callOf(table, action), client.config);
}

function callOf(table: string, action: string): AwsCall {
  // A transaction needs the permissions of what it holds.
  const permissions = action === 'TransactWriteItems' ? ['PutItem', 'UpdateItem', 'ConditionCheckItem'] : [action];
  return {
    service: 'DynamoDB',
    action,
    permissions: permissions.map((permission) => `dynamodb:${permission}`),
    target: `table ${table}`,
    option: 'ONCEFLOW_TABLE',
  };
}

export function noSuchJob({ table }: Store, job: string): StoreProblem {
  return new StoreProblem(
    `there is no job ${job} in table ${table} (ONCEFLOW_TABLE): it was never started, or its row was deleted (ONCEFLOW_JOB_NAME)`,
    false,
  );
}
