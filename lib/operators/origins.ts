import type { ByteWriter } from '../format/byte-writer.ts';
import type { Serde } from '../format/serde.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import type { TimeDomain } from '../state/columns/timers.ts';

/*
 * The origin of a row tells from which record of which source it was made, and as which of all that were made of it: rows of one time are
 * in the order of their origins, which is no other in another epoch, at another parallelism or after a failure. It is a text of latin1,
 * and in order by its bytes:
 *
 *   of a record   the source's uid and 0; partition (4 bytes) and offset (7), most significant first
 *   of a timer    255; the operator's uid and 0; the domain; the time (8: of one origin, in no order); the key's bytes
 *   and then      for each edge that it has passed which of those it was that were made for that edge (4); where rows of one record may
 *                 come to a stage by several edges, first which of them it was (1), and the number is shorter (3). For each `mapAsync`
 *                 that it has passed which of the job's nodes that is (4), and which of those of its origin it was there (4)
 *
 * Only edges that lead to an operator which works in order of time carry it.
 */

const scratch = Buffer.alloc(16);

export function originOfRecord(source: string, partition: number, offset: number): string {
  scratch.writeUInt32BE(partition, 0);
  scratch.writeUInt8(0, 4);
  scratch.writeUIntBE(offset, 5, 6);
  return `${source}\0${scratch.toString('latin1', 0, 11)}`;
}

export function originOfTimer(operator: string, domain: TimeDomain, timeMs: number, key: string): string {
  scratch.writeDoubleBE(timeMs, 0);
  return `\xff${operator}\0${domain === 'event' ? 'e' : 'p'}${scratch.toString('latin1', 0, 8)}${key}`;
}

/** Of what `mapAsync` passes on. @param nth of those of one origin */
export function originOfAnswer(origin: string, node: number, nth: number): string {
  scratch.writeUInt32BE(node, 0);
  scratch.writeUInt32BE(nth, 4);
  return `${origin}${scratch.toString('latin1', 0, 8)}`;
}

/** Of what is made of one record for one edge. */
const MOST_MADE = 2 ** 24;
/** More edges than these to one stage share the last: of their rows of one record the one that came first is first. */
const LAST_WAY = 255;

/**
 * How the values of an edge are written that carries origins: each behind that of its row. Reading one says it to `current`.
 *
 * @param way which of several edges it is by which rows of one record come to a stage. Undefined: they come by no other
 */
export function withOrigins(value: Serde<unknown>, current: CurrentRecord, way?: number): Serde<unknown> {
  const first = Math.min(way ?? 0, LAST_WAY) * MOST_MADE;
  let turn = -1;
  let made = first;
  return {
    name: value.name,
    write(of: unknown, out: ByteWriter) {
      const { origin } = current;
      if (turn !== current.turn) made = first;
      turn = current.turn;
      out.varint(origin.length + 4);
      out.reserve(origin.length + 4);
      out.position += out.bytes.write(origin, out.position, 'latin1');
      out.position = out.bytes.writeUInt32BE(made++, out.position);
      value.write(of, out);
    },
    read(bytes: Buffer, start: number, end: number) {
      let length = 0;
      let at = start;
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at++] as number;
        length += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
      current.origin = bytes.toString('latin1', at, at + length);
      current.turn++;
      return value.read(bytes, at + length, end);
    },
  };
}
