/** A table of DynamoDB, as a job's author gave it. */
export interface DynamoSinkSpec {
  readonly kind: 'dynamodb';
  readonly table: string;
  readonly ledgerTable: string;
  readonly toWrite: ((value: unknown) => DynamoWrite) | undefined;
}

/** The same in a plan. */
export interface DynamoTarget {
  readonly kind: 'dynamodb';
  readonly table: string;
  readonly ledgerTable: string;
}

/** What an attribute can hold. Numbers have 38 digits at most; sets hold strings, numbers or bytes, and one at least. */
export type DynamoValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | ReadonlySet<string>
  | ReadonlySet<number>
  | ReadonlySet<bigint>
  | ReadonlySet<Uint8Array>
  | readonly DynamoValue[]
  | { readonly [name: string]: DynamoValue | undefined };

/** By attribute; those that are undefined are left out. */
export type DynamoItem = Readonly<Record<string, DynamoValue | undefined>>;

/** Writes a whole item, or deletes the one with this key. */
export type DynamoWrite =
  | {
      /** The item. It takes the place of what has its key. */
      readonly put: DynamoItem;
      readonly delete?: undefined;
    }
  | {
      /** The key of the item that goes. */
      readonly delete: DynamoItem;
      readonly put?: undefined;
    };
