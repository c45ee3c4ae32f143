import type { Tap } from './avsc.ts';

/*
 * Longs, exactly: avsc computes them as numbers that are twice as large, and gives others back from 2^52 on. A varint is read as its lower 28
 * bits and the rest, of which each is exact.
 */

const LOW_BITS = 28;
const LOW = 2 ** LOW_BITS;
const HALF = LOW / 2;
/** A varint of 64 bits. */
const MOST_BYTES = 10;

/** Throws for one that is no safe integer. */
export function readLongAsNumber(tap: Tap): number {
  const { buf } = tap;
  const from = tap.pos;
  let low = 0;
  let high = 0;
  let scale = 1;
  let byte: number;
  do {
    byte = buf[tap.pos++] ?? 0;
    const at = tap.pos - from;
    if (at <= 4) low |= (byte & 0x7f) << (7 * (at - 1));
    else {
      high += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if (at > MOST_BYTES) throw new Error('a long takes more than 10 bytes');
  } while ((byte & 0x80) !== 0);
  const half = high * HALF + (low >>> 1);
  const value = (low & 1) === 0 ? half : -half - 1;
  if (Number.isSafeInteger(value)) return value;
  tap.pos = from;
  throw new RangeError(`the long ${readLongAsBigInt(tap)} is outside ±(2^53 - 1): read it with longs: 'bigint'`);
}

export function readLongAsBigInt(tap: Tap): bigint {
  const { buf } = tap;
  const from = tap.pos;
  let zigzag = 0n;
  let byte: number;
  do {
    byte = buf[tap.pos++] ?? 0;
    const at = tap.pos - from;
    if (at > MOST_BYTES) throw new Error('a long takes more than 10 bytes');
    zigzag |= BigInt(byte & 0x7f) << BigInt(7 * (at - 1));
  } while ((byte & 0x80) !== 0);
  return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
}

/** A safe integer. */
export function writeLongOfNumber(tap: Tap, value: number): void {
  const half = value < 0 ? -(value + 1) : value;
  const low = (half % HALF) * 2 + (value < 0 ? 1 : 0);
  writeVarint(tap, low, Math.floor(half / HALF));
}

/** One of 64 bits. */
export function writeLongOfBigInt(tap: Tap, value: bigint): void {
  const zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  writeVarint(tap, Number(zigzag % BigInt(LOW)), Number(zigzag / BigInt(LOW)));
}

function writeVarint(tap: Tap, low: number, high: number): void {
  const { buf } = tap;
  let rest = low;
  let groups = 4;
  for (; groups > 0 && (rest > 0x7f || high > 0); groups--) {
    buf[tap.pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  if (groups > 0) {
    buf[tap.pos++] = rest;
    return;
  }
  let upper = high;
  for (; upper > 0x7f; upper = Math.floor(upper / 128)) buf[tap.pos++] = (upper % 128) | 0x80;
  buf[tap.pos++] = upper;
}
