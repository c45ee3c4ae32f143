import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

/*
 * What @bufbuild/protobuf writes and would not give back: a number beyond 2^53 in a field of 64 bits, whose digits are lost already, and half
 * a surrogate pair, which becomes another character.
 */

type Message = Readonly<Record<string, unknown>>;

/** Throws for the first such value, with its path. */
export function checkValues({ fields, oneofs }: DescMessage, message: Message, path = ''): void {
  for (const field of fields) {
    if (field.oneof === undefined) checkField(field, message[field.localName], path);
  }
  for (const { localName } of oneofs) {
    const chosen = message[localName] as { readonly case?: string; readonly value?: unknown } | undefined;
    const field = fields.find((each) => each.oneof?.localName === localName && each.localName === chosen?.case);
    if (field !== undefined) checkField(field, chosen?.value, path);
  }
}

function checkField(field: DescField, value: unknown, before: string): void {
  if (value === undefined || value === null) return;
  const path = `${before}${field.localName}`;
  switch (field.fieldKind) {
    case 'scalar':
      checkScalar(field.scalar, value, path);
      break;
    case 'message':
      // Such as google.protobuf.Struct and wrappers come as plain values.
      if (typeof value === 'object' && '$typeName' in value) checkValues(field.message, value as Message, `${path}.`);
      break;
    case 'list':
      if (!Array.isArray(value)) break;
      for (const [index, item] of value.entries()) checkItem(field, item, `${path}.${index}`);
      break;
    case 'map':
      for (const [key, item] of Object.entries(value)) {
        if (field.mapKey === ScalarType.STRING) checkText(key, path);
        checkItem(field, item, `${path}.${key}`);
      }
  }
}

function checkItem(field: DescField & { fieldKind: 'list' | 'map' }, value: unknown, path: string): void {
  const kind = field.fieldKind === 'list' ? field.listKind : field.mapKind;
  if (kind === 'scalar' && field.scalar !== undefined) checkScalar(field.scalar, value, path);
  if (kind === 'message' && field.message !== undefined) checkValues(field.message, value as Message, `${path}.`);
}

const OF_64_BITS: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

function checkScalar(type: ScalarType, value: unknown, path: string): void {
  if (typeof value === 'string' && type === ScalarType.STRING) checkText(value, path);
  if (typeof value === 'number' && OF_64_BITS.has(type) && !Number.isSafeInteger(value))
    throw new RangeError(`${path} is the number ${value}, which may have lost digits: give a bigint`);
}

function checkText(value: string, path: string): void {
  if (!value.isWellFormed()) throw new TypeError(`${path} has half a surrogate pair, which UTF-8 cannot express`);
}
