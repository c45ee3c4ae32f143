import type { Item, ItemStep, ItemTables, KeySchema, Ledger, LedgerState } from '../../lib/ports/item-tables.ts';

/** Tables of items in memory. All have the same keys. */
export class MemoryItems implements ItemTables {
  /** By table, then by the text of the key. */
  readonly tables = new Map<string, Map<string, Item>>();
  readonly #keys: KeySchema;
  readonly #ledgers = new Map<string, LedgerState>();

  constructor(keys: KeySchema) {
    this.#keys = keys;
  }

  async keysOf(): Promise<KeySchema> {
    return this.#keys;
  }

  async stateOf(ledger: Ledger): Promise<LedgerState | undefined> {
    return this.#ledgers.get(textOf(ledger));
  }

  async write({ table, writes, ledger, from, to }: ItemStep): Promise<'written' | 'elsewhere'> {
    const state = this.#ledgers.get(textOf(ledger));
    const isNext = from.written === 0 ? (state?.epoch ?? -1) < from.epoch : state?.epoch === from.epoch && state.written === from.written;
    if (!isNext) return 'elsewhere';
    this.#ledgers.set(textOf(ledger), to);
    const items = this.tables.get(table) ?? new Map<string, Item>();
    this.tables.set(table, items);
    for (const write of writes) {
      if ('put' in write) items.set(this.#keyOf(write.put), write.put);
      else items.delete(this.#keyOf(write.delete));
    }
    return 'written';
  }

  #keyOf(item: Item): string {
    const { partition, sort } = this.#keys;
    return JSON.stringify([item[partition.name], sort === undefined ? undefined : item[sort.name]]);
  }
}

function textOf({ table, key }: Ledger): string {
  return JSON.stringify([table, key]);
}
