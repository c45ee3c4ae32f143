import type { ByteWriter } from '../../format/byte-writer.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import type { ReadValue } from '../registry/registry-serde.ts';
import type { AvroType } from './avsc.ts';
import { shown } from './types.ts';

/** What most records take; one that needs more is written again. */
const FIRST_BYTES = 256;

/** Throws `TypeError` naming what of the value does not fit, and where. */
export function writeAvro(name: string, type: AvroType, value: unknown, out: ByteWriter): void {
  out.reserve(FIRST_BYTES);
  try {
    let end = type.encode(value, out.bytes, out.position);
    if (end < 0) {
      out.reserve(out.bytes.length - out.position - end);
      end = type.encode(value, out.bytes, out.position);
    }
    out.position = end;
  } catch (cause) {
    throw new TypeError(`${name}: ${faultOf(type, value) ?? (cause instanceof Error ? cause.message : cause)}`, { cause });
  }
}

/** @param written the type that it was written with; undefined: it is the same */
export function avroReader<T>(name: string, type: AvroType, written?: AvroType): ReadValue<T> {
  const isSame = written === undefined || written.fingerprint().equals(type.fingerprint());
  const resolver = isSame ? undefined : type.createResolver(written);
  return (bytes, start, end) => {
    try {
      return type.fromBuffer(bytes.subarray(start, end), resolver) as T;
    } catch (cause) {
      throw new MalformedError(`${name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  };
}

/** The first thing that does not fit; undefined: everything seems to. */
function faultOf(type: AvroType, value: unknown): string | undefined {
  const faults: string[] = [];
  const errorHook = (path: string[], found: unknown, wanted: AvroType) => {
    faults.push(
      `${path.length === 0 ? 'the value' : path.join('.')} is ${shown(found)}, and no ${wanted.name ?? wanted.typeName.replace('abstract:', '')}`,
    );
  };
  try {
    type.isValid(value, { errorHook });
  } catch {
    // It has thrown while it was written too.
  }
  return faults[0];
}
