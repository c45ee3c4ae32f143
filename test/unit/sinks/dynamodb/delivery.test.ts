import { expect, it } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../../../host/system.ts';
import { type DynamoWrite, dynamoSink } from '../../../../lib/api/index.ts';
import type { ItemStep } from '../../../../lib/ports/item-tables.ts';
import type { SinkTargets } from '../../../../lib/ports/sink-targets.ts';
import { StoreProblem } from '../../../../lib/ports/store-problem.ts';
import { MalformedError } from '../../../../lib/protocol/malformed.ts';
import { commitPermitSchema } from '../../../../lib/protocol/permit.ts';
import type { Own } from '../../../../lib/protocol/shape.ts';
import { sizeOfItem } from '../../../../lib/sinks/dynamodb/attributes.ts';
import { ItemsEncoder } from '../../../../lib/sinks/dynamodb/items-encoder.ts';
import { serveDynamo } from '../../../../lib/sinks/dynamodb/server.ts';
import type { DynamoSinkSpec } from '../../../../lib/sinks/dynamodb/spec.ts';
import { decodeStagedItems, headOf } from '../../../../lib/sinks/dynamodb/staged-items.ts';
import { MemoryItems } from '../../../support/memory-items.ts';

const keys = { partition: { name: 'pk', type: 'S' } } as const;
const place = { job: 'j', incarnation: 'i', sink: 's', subtask: 1, epoch: 7 };

/** What is staged of these writes. */
function stagedOf(writes: readonly DynamoWrite[]): Buffer {
  const spec = dynamoSink<DynamoWrite>({ table: 'rows', toWrite: (write) => write }) as DynamoSinkSpec;
  const facts = () => ({ table: 'rows', keys, ledgerTable: 'rows', ledgerKeys: keys });
  const encoder = new ItemsEncoder(spec, { sink: 's', facts });
  encoder.begin();
  for (const write of writes) encoder.append(write);
  return Buffer.from(Buffer.concat(encoder.finish() ?? []));
}

const putOf = (n: number, text = '') => ({ put: { pk: `row ${n}`, text } });

async function deliver(items: MemoryItems, payload: Buffer, done?: Own) {
  const server = serveDynamo({ items: async () => items } as unknown as SinkTargets);
  const permit = commitPermitSchema.parse({ epoch: 7, decisionId: 'd', generation: 1, decided: true });
  const staged = { isEmpty: false, read: async () => [{ payload, name: 'blob' }] };
  const committable = { sink: 's', connector: 'dynamodb', subtask: 1, epoch: 7, token: {} };
  return server.deliver({ clock, random, deadlineMs: clock.elapsedMs() + 5_000 }, permit, committable, { place, staged, done });
}

it('a transaction has at most 99 writes and 4 MB as DynamoDB counts them, whatever the characters', async () => {
  const steps: ItemStep[] = [];
  class Watched extends MemoryItems {
    override write(step: ItemStep) {
      steps.push(step);
      return super.write(step);
    }
  }
  // Three bytes each, and one character.
  const wide = '語'.repeat(130_000);
  const writes = [...Array.from({ length: 120 }, (_, n) => putOf(n)), ...Array.from({ length: 20 }, (_, n) => putOf(1_000 + n, wide))];
  expect(await deliver(new Watched(keys), stagedOf(writes))).toEqual({ outcome: 'delivered' });
  const sizes = steps.map((step) => step.writes.reduce((sum, write) => sum + ('put' in write ? sizeOfItem(write.put) : 0), 0));
  expect(steps[0]?.writes).toHaveLength(99);
  expect(Math.max(...sizes)).toBeLessThan(4 * 1024 * 1024);
  expect(Math.max(...sizes)).toBeGreaterThan(3_000_000);
});

it('a throttled table is written to as far as it lets, and the next call goes on there', async () => {
  let calls = 0;
  class Throttled extends MemoryItems {
    override async write(step: ItemStep) {
      if (++calls % 2 === 0) throw new StoreProblem('ThrottlingError', true);
      return super.write(step);
    }
  }
  const items = new Throttled(keys);
  const payload = stagedOf(Array.from({ length: 250 }, (_, n) => putOf(n)));
  const first = await deliver(items, payload);
  expect(first).toMatchObject({ outcome: 'failed', kind: 'transient', done: { writes: 99 } });
  const second = await deliver(items, payload, first.outcome === 'failed' ? first.done : undefined);
  expect(second).toMatchObject({ outcome: 'failed', kind: 'transient', done: { writes: 198 } });
  expect(await deliver(items, payload, second.outcome === 'failed' ? second.done : undefined)).toEqual({ outcome: 'delivered' });
  expect(items.tables.get('rows')?.size).toBe(250);
});

it('of a value one write is made, and what gives two is refused', () => {
  const both = { put: { pk: 'a' }, delete: { pk: 'b' } } as unknown as DynamoWrite;
  expect(() => stagedOf([both])).toThrow('toWrite gave both { put } and { delete }');
});

it('of several writes to one key the last is made, where it was: not before what was written between them', async () => {
  const made: unknown[] = [];
  class Watched extends MemoryItems {
    override write(step: ItemStep) {
      made.push(...step.writes);
      return super.write(step);
    }
  }
  const payload = stagedOf([putOf(1, 'first'), putOf(2), { delete: { pk: 'row 3' } }, putOf(1, 'last')]);
  expect(await deliver(new Watched(keys), payload)).toEqual({ outcome: 'delivered' });
  expect(made).toEqual([
    { put: { pk: { S: 'row 2' }, text: { S: '' } } },
    { delete: { pk: { S: 'row 3' } } },
    { put: { pk: { S: 'row 1' }, text: { S: 'last' } } },
  ]);
});

it('an item that is larger than DynamoDB takes fails its record, and one that is as large does not', () => {
  const most = 400 * 1024 - Buffer.byteLength('pkrow 1text');
  expect(() => stagedOf([putOf(1, 'x'.repeat(most))])).not.toThrow();
  expect(() => stagedOf([putOf(1, 'x'.repeat(most + 1))])).toThrow('the item has 409601 bytes, and DynamoDB takes 409600');
});

it('of a table whose keys are not known as they have to be nothing is staged, and what is staged for it is not taken', () => {
  const facts = { table: 'rows', keys, ledgerTable: 'rows', ledgerKeys: keys };
  for (const wrong of [{}, { sort: keys.partition }, { partition: { name: 'pk', type: 'BOOL' } }]) {
    const damaged = { ...facts, keys: wrong } as unknown as typeof facts;
    const spec = dynamoSink<string>({ table: 'rows', toWrite: (pk) => ({ put: { pk } }) }) as DynamoSinkSpec;
    expect(() => new ItemsEncoder(spec, { sink: 's', facts: () => damaged }).begin()).toThrow(MalformedError);
    expect(() => decodeStagedItems(Buffer.from(headOf(damaged)), 'blob')).toThrow(/blob.*says nothing of a table: keys\.partition/);
  }
  expect(decodeStagedItems(Buffer.from(headOf(facts)), 'blob')).toEqual({ facts, writes: [] });
});

it('a function that gives a promise of a write fails its record', () => {
  const spec = dynamoSink<string>({ table: 'rows', toWrite: (pk) => Promise.resolve({ put: { pk } }) as never }) as DynamoSinkSpec;
  const facts = () => ({ table: 'rows', keys, ledgerTable: 'rows', ledgerKeys: keys });
  const encoder = new ItemsEncoder(spec, { sink: 's', facts });
  encoder.begin();
  expect(() => encoder.append('a')).toThrow(/promise/i);
});

it('who believes that more is written than the ledger says looks how far it is, and leaves nothing out', async () => {
  const items = new MemoryItems(keys);
  const payload = stagedOf(Array.from({ length: 250 }, (_, n) => putOf(n)));
  let calls = 0;
  class Interrupted extends MemoryItems {
    override async write(step: ItemStep) {
      if (++calls === 1) return items.write(step);
      throw new StoreProblem('no answer', true);
    }
    override stateOf = items.stateOf.bind(items);
  }
  expect(await deliver(new Interrupted(keys), payload)).toMatchObject({ outcome: 'failed', done: { writes: 99 } });
  expect(await deliver(items, payload, { writes: 198 })).toEqual({ outcome: 'delivered' });
  expect(items.tables.get('rows')?.size).toBe(250);
});
