import { describe, expect, it } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../../../host/system.ts';
import { DeliveryRefusedError, type WriteAheadSinkOptions, writeAheadSink } from '../../../../lib/api/index.ts';
import { commitPermitSchema } from '../../../../lib/protocol/permit.ts';
import type { Own } from '../../../../lib/protocol/shape.ts';
import { RowsEncoder } from '../../../../lib/sinks/deliver/rows-encoder.ts';
import { serveDeliver } from '../../../../lib/sinks/deliver/server.ts';
import type { DeliverSinkSpec } from '../../../../lib/sinks/deliver/spec.ts';
import { readBatches } from '../../../../lib/sinks/deliver/staged-rows.ts';

const place = { job: 'j', incarnation: 'i', sink: 's', subtask: 1, epoch: 7 };

function specOf(options: WriteAheadSinkOptions<string>): DeliverSinkSpec {
  return writeAheadSink(options) as DeliverSinkSpec;
}

function stagedBy(spec: DeliverSinkSpec, rows: readonly string[]): Buffer {
  const encoder = new RowsEncoder(spec, { sink: 's' });
  encoder.begin();
  for (const row of rows) encoder.append(row);
  return Buffer.concat(encoder.finish() ?? []);
}

async function deliver(spec: DeliverSinkSpec | undefined, payload: Buffer, done?: Own, forMs = 5_000) {
  const server = serveDeliver(() => spec);
  const permit = commitPermitSchema.parse({ epoch: 7, decisionId: 'd', generation: 1, decided: true });
  const staged = { isEmpty: false, read: async () => [{ payload, name: 'blob' }] };
  const committable = { sink: 's', connector: 'deliver', subtask: 1, epoch: 7, token: {} };
  return server.deliver({ clock, random, deadlineMs: clock.elapsedMs() + forMs }, permit, committable, { place, staged, done });
}

describe('rows', () => {
  it('are cut into batches by number and by size, where they are staged', () => {
    const rowsIn = (spec: DeliverSinkSpec, rows: readonly string[]) =>
      readBatches(stagedBy(spec, rows), 'blob').map((batch) => batch.rows.length);
    expect(rowsIn(specOf({ deliver() {}, maxBatchRows: 2 }), ['a', 'b', 'c', 'd', 'e'])).toEqual([2, 2, 1]);
    expect(rowsIn(specOf({ deliver() {}, maxBatchBytes: 20 }), ['a', 'x'.repeat(30), 'b', 'c'])).toEqual([1, 1, 2]);
    expect(rowsIn(specOf({ deliver() {} }), [])).toEqual([]);
  });

  it('of a blob that is damaged are not read', () => {
    const payload = stagedBy(specOf({ deliver() {} }), ['one', 'two']);
    const more = Buffer.from(payload);
    more.writeUInt32LE(1, 0);
    // Its rows are all there, and it says that it holds a byte more.
    const longer = Buffer.from(payload);
    longer.writeUInt32LE(payload.length - 8 + 1, 4);
    for (const damaged of [payload.subarray(0, 5), payload.subarray(0, payload.length - 1), more, longer])
      expect(() => readBatches(damaged, 'blob')).toThrow(/blob/);
  });
});

describe('a function', () => {
  it('is given each batch with its place, one after the other', async () => {
    const given: string[] = [];
    const spec = specOf({ maxBatchRows: 2, deliver: async (rows, { id, batch }) => void given.push(`${id} ${batch} ${rows.join()}`) });
    expect(await deliver(spec, stagedBy(spec, ['a', 'b', 'c']))).toEqual({ outcome: 'delivered' });
    expect(given).toEqual(['j/i/s/1/7/0 0 a,b', 'j/i/s/1/7/1 1 c']);
  });

  it('that throws is asked again behind the batches that it took, by the same coordinator', async () => {
    const given: number[] = [];
    let fails = true;
    const spec = specOf({
      maxBatchRows: 1,
      deliver(_rows, { batch }) {
        given.push(batch);
        if (batch === 1 && fails) throw new Error('down');
      },
    });
    const payload = stagedBy(spec, ['a', 'b', 'c']);
    const first = await deliver(spec, payload);
    expect(first).toMatchObject({ outcome: 'failed', kind: 'transient', message: 'sink s, subtask 1, epoch 7, batch 1 of 3: Error: down' });
    fails = false;
    expect(await deliver(spec, payload, first.outcome === 'failed' ? first.done : undefined)).toEqual({ outcome: 'delivered' });
    expect(given).toEqual([0, 1, 1, 2]);
  });

  it('that refuses says so to a person', async () => {
    const spec = specOf({
      deliver() {
        throw new DeliveryRefusedError('no such table');
      },
    });
    expect(await deliver(spec, stagedBy(spec, ['a']))).toMatchObject({ outcome: 'failed', kind: 'refused' });
  });

  it('that says what the target has is given the rest, and one that says nonsense is refused', async () => {
    const given: number[] = [];
    const withDelivered = (delivered: () => number) =>
      specOf({ maxBatchRows: 1, deliver: (_rows, { batch }) => void given.push(batch), delivered });
    const payload = stagedBy(
      withDelivered(() => 0),
      ['a', 'b', 'c'],
    );
    expect(
      await deliver(
        withDelivered(() => 2),
        payload,
      ),
    ).toEqual({ outcome: 'delivered' });
    expect(given).toEqual([2]);
    expect(
      await deliver(
        withDelivered(() => 4),
        payload,
      ),
    ).toMatchObject({ kind: 'refused', message: expect.stringContaining('0 to 3') });
  });

  it('that does not answer in time is told by its signal, and called again', async () => {
    let aborted = false;
    const spec = specOf({
      deliver: (_rows, { signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
        }),
    });
    expect(await deliver(spec, stagedBy(spec, ['a']), undefined, 20)).toMatchObject({ kind: 'transient', done: { batches: 0 } });
    expect(aborted).toBe(true);
  });

  it('is not given rows that its serde of today cannot read: that stops the job, and is not tried without an end', async () => {
    const broken = {
      ...specOf({ deliver() {} }),
      value: {
        name: 'another',
        write() {},
        read() {
          throw new RangeError('not mine');
        },
      },
    };
    await expect(deliver(broken, stagedBy(specOf({ deliver() {} }), ['a']))).rejects.toMatchObject({
      name: 'MalformedError',
      message: expect.stringMatching(/epoch 7 is decided.*sink s .*serde another: RangeError: not mine\. Start the job with the serde/),
    });
  });

  it('that is not there any more is asked for, and nothing is lost', async () => {
    const spec = specOf({ deliver() {} });
    expect(await deliver(undefined, stagedBy(spec, ['a']))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('has no sink s here'),
    });
  });
});
