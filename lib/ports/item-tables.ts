/*
 * Tables of items with keys (DynamoDB), as a sink writes to them. Values are in DynamoDB's own JSON, but bytes, which are base64.
 */

export type Attribute =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly Attribute[] }
  | { readonly M: Item };
export type Item = { readonly [name: string]: Attribute };

export interface KeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N' | 'B';
}
/** An attribute by which an index finds items. Those that lack it are not in the index; those that have another type are refused. */
export interface IndexKey extends KeyAttribute {
  readonly index: string;
  readonly of: 'partition' | 'sort';
}
export interface KeySchema {
  readonly partition: KeyAttribute;
  readonly sort?: KeyAttribute | undefined;
  /** None: there is no index. */
  readonly indexKeys?: readonly IndexKey[] | undefined;
}

/** One item is written, or the item of that key is deleted. */
export type ItemWrite = { readonly put: Item } | { readonly delete: Item };

/** The item that says how far a sink subtask has written. */
export interface Ledger {
  readonly table: string;
  readonly key: Item;
}

/** So many writes of this epoch, and all of the epochs before. */
export interface LedgerState {
  readonly epoch: number;
  readonly written: number;
}

/** Writes that are made together, with the step of the ledger, or not at all. */
export interface ItemStep {
  readonly table: string;
  readonly writes: readonly ItemWrite[];
  readonly ledger: Ledger;
  /** What the ledger must say. Its epoch may be an earlier one when nothing of this epoch was written. */
  readonly from: LedgerState;
  readonly to: LedgerState;
}

/** Every method throws `StoreProblem` when the service cannot do it; a step may have been made all the same. */
export interface ItemTables {
  /** Undefined: there is no such table. */
  keysOf(table: string): Promise<KeySchema | undefined>;
  /** Undefined: it says nothing yet. */
  stateOf(ledger: Ledger): Promise<LedgerState | undefined>;
  /** `elsewhere`: the ledger says something else, and nothing was written. */
  write(step: ItemStep): Promise<'written' | 'elsewhere'>;
}
