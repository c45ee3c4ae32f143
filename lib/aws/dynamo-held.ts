import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { FencedWrite, JobRow } from '../ports/epoch-store.ts';
import { type Attributes, attributes, decodeJob, jobKey } from './dynamo-rows.ts';
import { conditional, type Store, send } from './dynamo-send.ts';

/** The table, and what this process holds in it. */
export interface Holder extends Store {
  /**
   * By job and generation, of the generations that this process took, the incarnation. The generations of a job that was
   * deleted and made anew begin again, so a write must also be of the incarnation in which its generation was taken.
   */
  readonly incarnations: Map<string, string>;
  /**
   * By what is to be taken, until it is: what a try writes into the row. Also of one that was refused: a try before it, without an answer,
   * may still be carried out.
   */
  readonly claims: Map<string, string>;
}

/** The job was asked to stop no more often than `:stops`. */
export const STOPPED_NO_MORE = '(attribute_not_exists(stops) OR stops <= :stops)';

export async function readJob(store: Store, job: string): Promise<JobRow | undefined> {
  const item = await readItem(store, job);
  return item === undefined ? undefined : decodeJob(item);
}

export async function readItem(store: Store, job: string): Promise<Attributes | undefined> {
  const command = new GetItemCommand({ TableName: store.table, Key: jobKey(job), ConsistentRead: true });
  return (await send(store, 'GetItem', () => store.client.send(command))).Item;
}

/** The condition under which `generation` still holds the job, and the values in it. */
export function holding(
  { incarnations }: Holder,
  job: string,
  generation: number,
): { readonly condition: string; readonly values: Record<string, unknown> } {
  const incarnation = incarnations.get(`${job} ${generation}`);
  const condition = `generation = :generation${incarnation === undefined ? '' : ' AND incarnation = :incarnation'}`;
  return { condition, values: { ':generation': generation, ':incarnation': incarnation } };
}

export function isHeld({ incarnations }: Holder, row: JobRow | undefined, generation: number): row is JobRow {
  return row?.generation === generation && (incarnations.get(`${row.job} ${generation}`) ?? row.incarnation) === row.incarnation;
}

export function rememberTaken(
  { incarnations }: Holder,
  { job, generation, incarnation }: Pick<JobRow, 'job' | 'generation' | 'incarnation'>,
): void {
  incarnations.set(`${job} ${generation}`, incarnation);
}

export async function fencedUpdate(
  store: Holder,
  job: string,
  generation: number,
  update: string,
  values: Record<string, unknown>,
): Promise<FencedWrite> {
  const held = holding(store, job, generation);
  const command = new UpdateItemCommand({
    TableName: store.table,
    Key: jobKey(job),
    UpdateExpression: update,
    ConditionExpression: held.condition,
    ExpressionAttributeValues: attributes({ ...held.values, ...values }),
  });
  const written = await send(store, 'UpdateItem', () => conditional(() => store.client.send(command)));
  return written.outcome === 'done' ? 'written' : 'superseded';
}
