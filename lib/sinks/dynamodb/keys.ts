import type { Attribute, Item, KeyAttribute, KeySchema, Ledger } from '../../ports/item-tables.ts';
import { shortened } from '../../records/errors.ts';
import type { SinkPlace } from '../connector.ts';

const MOST_BYTES = { partition: 2048, sort: 1024 };
const MOST_SHOWN = 200;

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
      const value = item[name];
      if (value === undefined || !isKeyValue(value, type, MOST_BYTES[which]))
        throw new TypeError(
          `table ${table} has the ${which} key ${name} of type ${type}, of 1 to ${MOST_BYTES[which]} bytes, and the item has ${value === undefined ? 'none' : shown(value)}`,
        );
      return [name, value];
    }),
  );
}

function isKeyValue(attribute: Attribute, type: KeyAttribute['type'], mostBytes: number): boolean {
  const value = (attribute as Readonly<Record<string, unknown>>)[type];
  const bytes = typeof value === 'string' ? Buffer.byteLength(value, type === 'B' ? 'base64' : 'utf8') : 0;
  return bytes > 0 && bytes <= mostBytes;
}

/** An item may have 400 KB. */
function shown(attribute: Attribute): string {
  return shortened(JSON.stringify(attribute), MOST_SHOWN);
}

/** Throws `TypeError` when an index of the table would have the whole item refused. */
export function checkIndexKeys(item: Item, { indexKeys = [] }: KeySchema, table: string): void {
  for (const { name, type, index, of } of indexKeys) {
    const value = item[name];
    if (value !== undefined && !isKeyValue(value, type, MOST_BYTES[of]))
      throw new TypeError(
        `table ${table} has the index ${index} by ${name}, of type ${type} and of 1 to ${MOST_BYTES[of]} bytes, and the item has ${shown(value)}: leave the attribute out, or write it as that`,
      );
  }
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
