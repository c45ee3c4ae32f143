import { expect, it } from 'vitest';
import { endOfTransaction, writerOf } from '../../../lib/format/control-record.ts';
import { encodeBatch, encodeMarker } from '../../simulation/models/wire.ts';

const header = (producerId: bigint) => ({ producerId, producerEpoch: 3, transactional: true, timestampMs: 1 });
/** Batches at these offsets, one after the other. */
function logOf(...batches: readonly (readonly [number, Buffer])[]): Buffer {
  return Buffer.concat(
    batches.map(([offset, batch]) => {
      batch.writeBigInt64BE(BigInt(offset), 0);
      return batch;
    }),
  );
}

it("a transaction ends with its producer's first control record behind its last record, whatever lies between", () => {
  const log = logOf(
    [4, encodeMarker(header(7n), 'abort')],
    [5, encodeBatch(header(8n), ['x', 'y'])],
    [7, encodeMarker(header(8n), 'abort')],
    [8, encodeMarker(header(7n), 'commit')],
    [9, encodeMarker(header(7n), 'abort')],
  );
  expect(endOfTransaction(log, 7n, 5)).toBe('commit');
  expect(endOfTransaction(log, 7n, 9)).toBe('abort');
  expect(endOfTransaction(log, 8n, 5)).toBe('abort');
  expect(endOfTransaction(log, 9n, 0)).toBeUndefined();
});

it('a control record that is cut off is none', () => {
  const log = logOf([8, encodeMarker(header(7n), 'commit')]);
  for (let size = 0; size < log.length; size++) expect(endOfTransaction(log.subarray(0, size), 7n, 0)).toBeUndefined();
});

it("who wrote a record is told by the batch that holds its offset; the end of a transaction is nobody's record", () => {
  const log = logOf(
    [4, encodeBatch(header(7n), ['a', 'b'])],
    [6, encodeMarker(header(7n), 'commit')],
    [7, encodeBatch({ ...header(8n), producerEpoch: 5 }, ['x'])],
  );
  expect(writerOf(log, 5)).toEqual({ producerId: 7n, producerEpoch: 3 });
  expect(writerOf(log, 7)).toEqual({ producerId: 8n, producerEpoch: 5 });
  expect(writerOf(log, 6)).toBeUndefined();
  expect(writerOf(log, 8)).toBeUndefined();
});
