import { byName } from '../../config/by-name.ts';
import type { ItemTables, KeySchema } from '../../ports/item-tables.ts';
import type { SinkTargets } from '../../ports/sink-targets.ts';
import { StoreProblem } from '../../ports/store-problem.ts';
import type { DeliveredCoordination, Learnt, SinkOfRun } from '../connector.ts';
import { ledgerFault } from './keys.ts';
import type { DynamoTarget } from './spec.ts';
import type { TableFacts } from './staged-items.ts';

/** Of committables that are written to a table of DynamoDB. Their tokens are empty: the ledger is in the table. */
export const CONNECTOR = 'dynamodb';

/** The half where the coordinator is. It leaves nothing open. */
export function coordinateDynamo(targets: SinkTargets): DeliveredCoordination {
  return {
    how: 'delivered',
    connector: CONNECTOR,
    poolOf: CONNECTOR,
    refusalOf: () => Promise.resolve(undefined),
    learn: async (sinks) => learnTables(await targets.items(), sinks),
    placesOf: () => [],
  };
}

async function learnTables(items: ItemTables, sinks: readonly SinkOfRun[]): Promise<Learnt> {
  const facts: (readonly [string, TableFacts])[] = [];
  for (const { sink, target } of sinks) {
    const { table, ledgerTable } = target as DynamoTarget;
    const keys = await keysOf(items, sink, table);
    if (typeof keys === 'string') return { outcome: 'refused', message: keys };
    const ledgerKeys = ledgerTable === table ? keys : await keysOf(items, sink, ledgerTable);
    if (typeof ledgerKeys === 'string') return { outcome: 'refused', message: ledgerKeys };
    const fault = ledgerFault(ledgerKeys);
    if (fault !== undefined)
      return {
        outcome: 'refused',
        message: `table ${ledgerTable} of sink ${sink} cannot hold its ledger: ${fault}. Give dynamoSink a ledgerTable whose partition key is a string`,
      };
    facts.push([sink, { table, keys, ledgerTable, ledgerKeys }]);
  }
  return { outcome: 'learnt', facts: byName(facts) };
}

async function keysOf(items: ItemTables, sink: string, table: string): Promise<KeySchema | string> {
  try {
    return (
      (await items.keysOf(table)) ??
      `table ${table} of sink ${sink} does not exist: create it, or correct \`table\` of dynamoSink, AWS_REGION or AWS_ENDPOINT_URL`
    );
  } catch (error) {
    if (!(error instanceof StoreProblem) || error.retriable) throw error;
    return `table ${table} of sink ${sink} cannot be used: ${error.message}`;
  }
}
