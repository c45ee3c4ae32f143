import avsc from 'avsc';

/*
 * What of avsc is used, beyond what its declarations name: how a type reads and writes from a tap, which it lets types of one's own do.
 */

export interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
  skipLong(): void;
}

/** A type, whole or in the middle of what another reads. */
export interface AvroType {
  readonly typeName: string;
  /** Of records, enums and fixed ones. */
  readonly name?: string | undefined;
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
  _write(tap: Tap, value: unknown): void;
  _check(value: unknown, flags: unknown, hook: ((value: unknown, type: unknown) => void) | undefined): boolean;
  _update(resolver: { _read?: (tap: Tap) => unknown }, written: AvroType, options: unknown): void;
  createResolver(written: AvroType): object;
  fromBuffer(bytes: Buffer, resolver?: object): unknown;
  encode(value: unknown, bytes: Buffer, position: number): number;
  fingerprint(): Buffer;
  isValid(value: unknown, options: { readonly errorHook: (path: string[], value: unknown, type: AvroType) => void }): boolean;
}

export type AvscOptions = {
  readonly registry: Record<string, AvroType>;
  readonly typeHook: (schema: unknown, options: unknown) => AvroType | undefined;
  readonly logicalTypes: Readonly<Record<string, unknown>>;
  readonly omitRecordMethods: true;
};

interface Library {
  readonly Type: { forSchema(schema: unknown, options: AvscOptions): AvroType };
  readonly types: {
    readonly StringType: new () => AvroType;
    readonly FloatType: new () => AvroType;
    readonly DoubleType: new () => AvroType;
    readonly LongType: { new (): AvroType; __with(methods: Readonly<Record<string, unknown>>): AvroType };
    readonly ArrayType: new (schema: unknown, options: unknown) => AvroType & { readonly itemsType: AvroType };
    readonly MapType: new (schema: unknown, options: unknown) => AvroType & { readonly valuesType: AvroType };
    readonly RecordType: new (schema: unknown, options: unknown) => AvroType & { readonly recordConstructor: { prototype: object } };
  };
}

export const { Type, types } = avsc as unknown as Library;
