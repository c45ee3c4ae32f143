import type { ByteWriter } from '../../../format/byte-writer.ts';
import type { Serde } from '../../../format/serde.ts';
import { madeOf } from '../../../format/versioned.ts';
import { MalformedError } from '../../../protocol/malformed.ts';
import { Cursor } from '../../../state/snapshot/cursor.ts';

/** What is kept of the values of a window, or of a slice that several windows share. */
export interface Pane {
  count: number;
  /** When an early result of it is due. Undefined: it has not changed since the last one, or there are none. */
  earlyAtMs: number | undefined;
  /** A result was given of it, or of one that it was made of. Of sessions alone. */
  wasGiven: boolean;
  /** Times of the earliest value and of the latest. Of sessions and count windows alone; 0 elsewhere. */
  firstMs: number;
  lastMs: number;
  /** Undefined: there is none, values are kept one by one. */
  accumulator: unknown;
}

const NOTHING = Buffer.alloc(0);
const WAITS = 1;
const GIVEN = 2;

/**
 * Encodes panes: two bits, the count, the time of an early result if one is due, the two times where there are any, then the accumulator.
 * @param accumulator undefined: there is none
 */
export function paneSerde(accumulator: Serde<unknown> | undefined, hasTimes: boolean): Serde<Pane> {
  return accumulator === undefined ? paneOf(undefined, hasTimes) : madeOf(accumulator, (inner) => paneOf(inner, hasTimes));
}

function paneOf(accumulator: Serde<unknown> | undefined, hasTimes: boolean): Serde<Pane> {
  const name = `${hasTimes ? 'span' : 'pane'}${accumulator === undefined ? '' : ` of ${accumulator.name}`}`;
  const cursor = new Cursor(NOTHING, name);
  return {
    name,
    write(pane, out) {
      out.varint((pane.earlyAtMs === undefined ? 0 : WAITS) + (pane.wasGiven ? GIVEN : 0));
      out.varint(pane.count);
      if (pane.earlyAtMs !== undefined) out.f64(pane.earlyAtMs);
      if (hasTimes) {
        out.f64(pane.firstMs);
        out.f64(pane.lastMs);
      }
      accumulator?.write(pane.accumulator, out);
    },
    read(bytes, start, end) {
      cursor.turnTo(bytes, start, end);
      const bits = cursor.varint();
      const count = cursor.varint();
      const earlyAtMs = (bits & WAITS) !== 0 ? cursor.f64() : undefined;
      const firstMs = hasTimes ? cursor.f64() : 0;
      const lastMs = hasTimes ? cursor.f64() : 0;
      return {
        count,
        earlyAtMs,
        wasGiven: (bits & GIVEN) !== 0,
        firstMs,
        lastMs,
        accumulator: accumulator?.read(bytes, cursor.position, end),
      };
    },
  };
}

/** A time and what comes behind it, as bytes that sort as the numbers do. */
const TIME_BYTES = 7;
const SEQUENCE_BYTES = 6;
const TWO_POW_32 = 2 ** 32;
/** Of the upper part of a time, so that it is not negative. */
const BIAS = 2 ** 21;

/** Keys that are times. `name` says of what, and by that whether another build's can be read. */
export function timeSerde(name: string): Serde<number> {
  return {
    name,
    write: writeTime,
    read(bytes, start, end) {
      if (end - start !== TIME_BYTES) throw new MalformedError(`${name}: ${end - start} bytes where a time has ${TIME_BYTES}`);
      return readTime(bytes, start);
    },
  };
}

/** A value's place among those of its key. */
export interface ValuePlace {
  timeMs: number;
  /** Tells values of one time apart: a later one has a greater number. */
  sequence: number;
}

export const valuePlaceSerde: Serde<ValuePlace> = {
  name: 'time and arrival',
  write({ timeMs, sequence }, out) {
    writeTime(timeMs, out);
    out.reserve(SEQUENCE_BYTES);
    out.position = out.bytes.writeUIntBE(sequence, out.position, SEQUENCE_BYTES);
  },
  read(bytes, start, end) {
    if (end - start !== TIME_BYTES + SEQUENCE_BYTES)
      throw new MalformedError(`${end - start} bytes where the place of a value has ${TIME_BYTES + SEQUENCE_BYTES}`);
    return { timeMs: readTime(bytes, start), sequence: bytes.readUIntBE(start + TIME_BYTES, SEQUENCE_BYTES) };
  },
};

function writeTime(timeMs: number, out: ByteWriter): void {
  if (!Number.isSafeInteger(timeMs)) throw new RangeError(`the window's time ${timeMs} is beyond what a number holds exactly`);
  const upper = Math.floor(timeMs / TWO_POW_32);
  out.reserve(TIME_BYTES);
  out.position = out.bytes.writeUIntBE(upper + BIAS, out.position, 3);
  out.position = out.bytes.writeUInt32BE(timeMs - upper * TWO_POW_32, out.position);
}

function readTime(bytes: Buffer, start: number): number {
  return (bytes.readUIntBE(start, 3) - BIAS) * TWO_POW_32 + bytes.readUInt32BE(start + 3);
}
