import {
  type AttributeValue,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  ResourceNotFoundException,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type {
  Attribute,
  IndexKey,
  Item,
  ItemStep,
  ItemTables,
  KeyAttribute,
  KeySchema,
  Ledger,
  LedgerState,
} from '../ports/item-tables.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { problemOf } from './aws-problem.ts';

const EPOCH = 'onceflowEpoch';
const WRITTEN = 'onceflowWritten';

/** Tables that sinks write to. */
export function createItemTables(client: DynamoDBClient): ItemTables {
  return {
    keysOf: (table) => keysOf(client, table),
    stateOf: (ledger) => stateOf(client, ledger),
    write: (step) => write(client, step),
  };
}

async function keysOf(client: DynamoDBClient, TableName: string): Promise<KeySchema | undefined> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    const typeOf = (name: string) =>
      Table?.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name)?.AttributeType as KeyAttribute['type'] | undefined;
    const attributeOf = (keyType: string): KeyAttribute | undefined => {
      const name = Table?.KeySchema?.find(({ KeyType }) => KeyType === keyType)?.AttributeName;
      const type = name === undefined ? undefined : typeOf(name);
      return name === undefined || type === undefined ? undefined : { name, type };
    };
    const [partition, sort] = [attributeOf('HASH'), attributeOf('RANGE')];
    if (partition === undefined) throw new Error(`DynamoDB describes table ${TableName} without a partition key`);
    const indexKeys = [...(Table?.GlobalSecondaryIndexes ?? []), ...(Table?.LocalSecondaryIndexes ?? [])].flatMap(
      ({ IndexName: index = '', KeySchema: keys = [] }) =>
        keys.flatMap(({ AttributeName: name = '', KeyType }): IndexKey[] => {
          const type = typeOf(name);
          return type === undefined ? [] : [{ name, type, index, of: KeyType === 'HASH' ? 'partition' : 'sort' }];
        }),
    );
    return { partition, ...(sort !== undefined && { sort }), ...(indexKeys.length > 0 && { indexKeys }) };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw await problem(client, TableName, 'DescribeTable', ['DescribeTable'], error);
  }
}

async function stateOf(client: DynamoDBClient, { table, key }: Ledger): Promise<LedgerState | undefined> {
  try {
    const { Item: found } = await client.send(new GetItemCommand({ TableName: table, Key: sdkItem(key), ConsistentRead: true }));
    if (found === undefined) return undefined;
    const [epoch, written] = [Number(found[EPOCH]?.N), Number(found[WRITTEN]?.N)];
    if (Number.isInteger(epoch) && Number.isInteger(written)) return { epoch, written };
    throw new StoreProblem(
      `the item ${JSON.stringify(key)} of table ${table} is a sink's ledger, and does not say in ${EPOCH} and ${WRITTEN} how far it has written: somebody else wrote it; put back what it was`,
      false,
    );
  } catch (error) {
    throw await problem(client, table, 'GetItem', ['GetItem'], error);
  }
}

async function write(client: DynamoDBClient, step: ItemStep): Promise<'written' | 'elsewhere'> {
  const writes = step.writes.map(
    (one): TransactWriteItem =>
      'put' in one
        ? { Put: { TableName: step.table, Item: sdkItem(one.put) } }
        : { Delete: { TableName: step.table, Key: sdkItem(one.delete) } },
  );
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems: [ledgerStep(step), ...writes] }));
    return 'written';
  } catch (error) {
    if (error instanceof TransactionCanceledException) {
      const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
      if (codes[0] === 'ConditionalCheckFailed') return 'elsewhere';
      throw cancelled(step.table, error, codes);
    }
    throw await problem(client, step.table, 'TransactWriteItems', ['PutItem', 'DeleteItem'], error);
  }
}

/** The condition on the ledger is what makes a step once. */
function ledgerStep({ ledger, from, to }: ItemStep): TransactWriteItem {
  const isFirst = from.written === 0;
  const item = { ...sdkItem(ledger.key), [EPOCH]: { N: String(to.epoch) }, [WRITTEN]: { N: String(to.written) } };
  return {
    Put: {
      TableName: ledger.table,
      Item: item,
      ConditionExpression: isFirst ? 'attribute_not_exists(#epoch) OR #epoch < :epoch' : '#epoch = :epoch AND #written = :written',
      ExpressionAttributeNames: isFirst ? { '#epoch': EPOCH } : { '#epoch': EPOCH, '#written': WRITTEN },
      ExpressionAttributeValues: isFirst
        ? { ':epoch': { N: String(from.epoch) } }
        : { ':epoch': { N: String(from.epoch) }, ':written': { N: String(from.written) } },
    },
  };
}

/** Why DynamoDB cancelled a transaction, and which of them pass. */
const PASSING = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'InternalServerError',
]);

function cancelled(table: string, error: TransactionCanceledException, codes: readonly string[]): StoreProblem {
  const reasons = codes.filter((code) => code !== 'None');
  const retriable = reasons.length > 0 && reasons.every((code) => PASSING.has(code));
  const said = error.CancellationReasons?.find(({ Message }) => Message !== undefined)?.Message ?? error.message;
  const mend = retriable ? 'it may succeed later' : 'see the message, and check `table` of dynamoSink';
  return new StoreProblem(
    `DynamoDB cancelled a transaction on table ${table}: ${[...new Set(reasons)].join(', ')}: ${said}; ${mend}`,
    retriable,
    { cause: error },
  );
}

function sdkItem(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, attribute]) => [name, sdkValue(attribute)]));
}

function sdkValue(attribute: Attribute): AttributeValue {
  if ('B' in attribute) return { B: Buffer.from(attribute.B, 'base64') };
  if ('BS' in attribute) return { BS: attribute.BS.map((each) => Buffer.from(each, 'base64')) };
  if ('L' in attribute) return { L: attribute.L.map(sdkValue) };
  if ('M' in attribute) return { M: sdkItem(attribute.M) };
  if ('SS' in attribute) return { SS: [...attribute.SS] };
  if ('NS' in attribute) return { NS: [...attribute.NS] };
  return { ...attribute };
}

function problem(
  { config }: DynamoDBClient,
  table: string,
  action: string,
  permissions: readonly string[],
  error: unknown,
): Promise<unknown> {
  const call = {
    service: 'DynamoDB',
    action,
    permissions: permissions.map((permission) => `dynamodb:${permission}`),
    target: `table ${table}`,
    option: 'the table of a sink',
  } as const;
  return problemOf(error, call, config);
}
