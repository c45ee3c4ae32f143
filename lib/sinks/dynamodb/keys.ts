import type { Item, KeyAttribute, KeySchema, Ledger } from '../../ports/item-tables.ts';
import type { SinkPlace } from '../connector.ts';

const MOST_BYTES = { partition: 2048, sort: 1024 };

function attributesOf({ partition, sort }: KeySchema): readonly (readonly ['partition' | 'sort', KeyAttribute])[] {
  return sort === undefined
    ? [['partition', partition]]
    : [
        ['partition', partition],
        ['sort', sort],
      ];
}

/** The key in an item. Throws `TypeError` when the table could not have the item. */
export function keyIn(item: Item, keys: KeySchema, table: string): Item {
  return Object.fromEntries(
    attributesOf(keys).map(([which, { name, type }]) => {
      const value = (item[name] as Readonly<Record<string, unknown>> | undefined)?.[type];
      const bytes = typeof value === 'string' ? Buffer.byteLength(value, type === 'B' ? 'base64' : 'utf8') : 0;
      if (bytes === 0 || bytes > MOST_BYTES[which])
        throw new TypeError(
          `table ${table} has the ${which} key ${name} of type ${type}, of 1 to ${MOST_BYTES[which]} bytes, and the item has ${JSON.stringify(item[name]) ?? 'none'}`,
        );
      return [name, { [type]: value } as Item[string]];
    }),
  );
}

/** Equal for equal keys. */
export function textOfKey(key: Item, keys: KeySchema): string {
  return JSON.stringify(attributesOf(keys).map(([, { name }]) => key[name]));
}

/** Why a table of these keys cannot hold a ledger; undefined: it can. */
export function ledgerFault({ partition }: KeySchema): string | undefined {
  return partition.type === 'N' ? `its partition key ${partition.name} is a number` : undefined;
}

/** Where it is written how far a sink subtask has come: of each incarnation of a job another item. */
export function ledgerOf(table: string, keys: KeySchema, { job, incarnation, sink, subtask }: SinkPlace): Ledger {
  const text = `onceflow#${job}#${incarnation}#${sink}#${subtask}`;
  const attributeFor = ({ type }: KeyAttribute, of: string): Item[string] => {
    if (type === 'N') return { N: '0' };
    return type === 'S' ? { S: of } : { B: Buffer.from(of).toString('base64') };
  };
  const { partition, sort } = keys;
  return {
    table,
    key: { [partition.name]: attributeFor(partition, text), ...(sort !== undefined && { [sort.name]: attributeFor(sort, 'ledger') }) },
  };
}
