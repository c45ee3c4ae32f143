import { describe, expect, it, onTestFinished } from 'vitest';
import {
  bytes,
  customSerde,
  type DataStream,
  defineJob,
  JobDefinitionError,
  kafkaSink,
  kafkaSource,
  mapState,
  NotPreparedError,
  type Output,
  type Serde,
  utf8,
  valueState,
} from '../../../lib/api/index.ts';
import { avro } from '../../../lib/formats/avro.ts';
import { schemaRegistry } from '../../../lib/formats/registry.ts';
import { applyOverrides } from '../../../lib/graph/overrides.ts';
import { EpochFailedError, testJob } from '../../../lib/testing/index.ts';
import { TestRegistry } from '../../support/schema-registry.ts';

interface Order {
  readonly id: number;
  readonly note: string;
}

const NOTE = { name: 'note', type: 'string', default: 'none' };
const record = (...fields: readonly object[]) => ({
  type: 'record',
  name: 'shop.Order',
  fields: [{ name: 'id', type: 'long' }, ...fields],
});
/** What only the newer version has. */
const MORE = { more: 'more' };
const older = record();
const mine = record(NOTE);
const newer = record(NOTE, { name: 'more', type: 'string' });

/** A registry that knows three versions of the order, and what producers have written with each. */
async function started() {
  const server = await TestRegistry.start();
  onTestFinished(() => server.close());
  server.setRule('orders-value', 'NONE');
  const idOf = (schema: object) => server.add('orders-value', { schema: JSON.stringify(schema) });
  const ids = { older: idOf(older), mine: idOf(mine), newer: idOf(newer) };
  const text = (value: string) => [value.length * 2, ...Buffer.from(value)];
  const written = {
    older: (id: number) => Buffer.from([0, 0, 0, 0, ids.older, id * 2]),
    mine: (id: number, note: string) => Buffer.from([0, 0, 0, 0, ids.mine, id * 2, ...text(note)]),
    newer: (id: number, note: string) => Buffer.from([0, 0, 0, 0, ids.newer, id * 2, ...text(note), ...text('x')]),
  };
  return { server, written, registry: () => schemaRegistry({ url: server.url }) };
}

/** Reads by the serde, and takes what a test writes to the topic as it is. */
function raw<T>(serde: Serde<T>): Serde<T> {
  return {
    name: serde.name,
    write: (value, out) => bytes.write(value as Uint8Array, out),
    read: (from, start, end) => serde.read(from, start, end),
    ...(serde.prepare && { prepare: () => serde.prepare?.() ?? Promise.resolve() }),
    ...(serde.forTopic && { forTopic: (place) => raw(serde.forTopic?.(place) ?? serde) }),
  };
}

const source = (serde: Serde<Order>) => kafkaSource({ topic: 'orders', value: raw(serde) });
const show = ({ id, note }: Order) => `${id} ${note}`;

function passing(serde: Serde<Order>) {
  return defineJob('passing', (job) => {
    job
      .source('read', source(serde))
      .map(show)
      .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  });
}

const push = (job: ReturnType<typeof testJob>, ...values: readonly Buffer[]) => job.push('read', ...values);
const failureOf = async (work: Promise<unknown>): Promise<EpochFailedError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EpochFailedError);
  return error as EpochFailedError;
};

describe('a source whose serde meets a schema that nobody has fetched', () => {
  it('fetches it and goes on at that record: each record is read once', async () => {
    const { server, written, registry } = await started();
    let read = 0;
    const serde = avro<Order>(mine, { registry: registry() });
    const job = testJob(
      defineJob('counting', (draft) => {
        draft
          .source('read', source(serde))
          .map((order) => `${++read}: ${show(order)}`)
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
    );
    push(job, written.mine(1, 'a'), written.older(2), written.mine(3, 'b'), written.newer(4, 'c'), written.older(5));
    expect(await job.runEpoch()).toMatchObject({ recordsIn: 5, recordsOut: 5 });
    expect(job.values('write')).toEqual(['1: 1 a', '2: 2 none', '3: 3 b', '4: 4 c', '5: 5 none']);
    expect(server.requests.filter((request) => request.startsWith('GET'))).toEqual([2, 1, 3].map((id) => `GET /schemas/ids/${id}`));
  });

  it('has the epoch tried again while the registry is down, and leaves nothing out', async () => {
    const { server, written, registry } = await started();
    const job = testJob(passing(avro<Order>(mine, { registry: registry() })));
    push(job, written.mine(1, 'a'), written.newer(2, 'b'));
    server.trouble = (request) => (request.endsWith('/3') ? { is: 'down' } : { is: 'none' });
    const failed = await failureOf(job.runEpoch());
    expect(failed.kind).toBe('transient');
    expect(failed.fault).toBeUndefined();
    expect(failed.message).toMatch(
      /schema registry http:\S+: GET \/schemas\/ids\/3: no answer .* Nothing is left out: the epoch is tried again until/,
    );
    expect(job.values('write')).toEqual([]);
    server.trouble = () => ({ is: 'none' });
    await job.runUntilIdle();
    expect(job.values('write')).toEqual(['1 a', '2 b']);
  });

  it('stops for a login that is refused', async () => {
    const { server, written, registry } = await started();
    const job = testJob(passing(avro<Order>(mine, { registry: registry() })));
    push(job, written.mine(1, 'a'));
    server.trouble = () => ({ is: 'answer', status: 403, body: '{"error_code":40301,"message":"no"}' });
    expect(await failureOf(job.runEpoch())).toMatchObject({ kind: 'refused', message: expect.stringMatching(/the login is refused/) });
  });

  it('takes one that the registry has not for a malformed record, with its place', async () => {
    const { written, registry } = await started();
    const job = testJob(passing(avro<Order>(mine, { registry: registry() })));
    push(job, written.mine(1, 'a'), Buffer.from([0, 0, 0, 0, 9, 2]));
    const failed = await failureOf(job.runEpoch());
    expect(failed).toMatchObject({
      kind: 'record',
      fault: { errorClass: 'MalformedRecordError', record: { topic: 'orders', partition: 0, offset: 1 } },
    });
    expect(failed.message).toMatch(/topic orders, partition 0, offset 1: .* has no schema 9/);
  });

  it('takes one that its own cannot be read from for a malformed record, with its place', async () => {
    const { server, written, registry } = await started();
    const id = server.add('orders-value', { schema: JSON.stringify({ type: 'record', name: 'shop.Order', fields: [] }) });
    const job = testJob(passing(avro<Order>(mine, { registry: registry() })));
    push(job, written.mine(1, 'a'), Buffer.from([0, 0, 0, 0, id]));
    expect(await failureOf(job.runEpoch())).toMatchObject({
      kind: 'record',
      message: expect.stringMatching(
        /partition 0, offset 1: .*cannot be read with the schema of this job: no matching field for default-less shop\.Order\.id/,
      ),
    });
  });
});

describe('what lacks a schema is done again, wherever it is called', () => {
  it('within another serde, which takes the error for bytes that hold no value', async () => {
    const { written, registry } = await started();
    const inner = avro<Order>(mine, { registry: registry(), subject: 'orders-value' });
    const outer = customSerde<Order>({
      name: 'outer',
      serialize: () => Buffer.alloc(0),
      deserialize: (from) => inner.read(from, 0, from.length),
    });
    const job = testJob(passing(outer));
    push(job, written.mine(1, 'a'), written.newer(2, 'b'));
    await job.runUntilIdle();
    expect(job.values('write')).toEqual(['1 a', '2 b']);
  });

  it('in a function that catches whatever is thrown, and leaves such values out', async () => {
    const { written, registry } = await started();
    const serde = avro<Order>(mine, { registry: registry(), subject: 'orders-value' });
    const job = testJob(
      defineJob('tolerant', (draft) => {
        draft
          .source('read', kafkaSource({ topic: 'orders', value: bytes }))
          .flatMap((value) => {
            try {
              return [show(serde.read(Buffer.from(value), 0, value.length))];
            } catch {
              return [];
            }
          })
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
    );
    push(job, written.mine(1, 'a'), Buffer.from('nonsense'), written.newer(2, 'b'));
    expect(await job.runEpoch()).toMatchObject({ recordsIn: 3, recordsOut: 2 });
    expect(job.values('write')).toEqual(['1 a', '2 b']);
  });

  it('in such a function, also when the source itself lacks another one afterwards', async () => {
    const { written, registry } = await started();
    const inner = avro<Order>(mine, { registry: registry(), subject: 'orders-value' });
    const job = testJob(
      defineJob('both', (draft) => {
        draft
          .source('read', source(avro<Order>(mine, { registry: registry() })))
          .flatMap(({ id }) => {
            const within = written.newer(id, 'within');
            try {
              return [show(inner.read(within, 0, within.length))];
            } catch {
              return [];
            }
          })
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
    );
    push(job, written.mine(1, 'a'), written.older(2));
    await job.runEpoch();
    expect(job.values('write')).toEqual(['1 within', '2 within']);
  });

  it('behind a keyBy and in state: what an earlier version of the job has written is read by the schema of today', async () => {
    const { server, registry } = await started();
    const [before, now] = [newer, mine].map((schema) => avro<Order>(schema, { registry: registry(), subject: 'orders-value' })) as [
      Serde<Order>,
      Serde<Order>,
    ];
    const serde: Serde<Order> = {
      name: 'avro',
      prepare: async () => before.prepare?.(),
      write: before.write.bind(before),
      read: now.read.bind(now),
    };
    const given: unknown[] = [];
    const job = testJob(
      defineJob('keeping', (draft) => {
        draft
          .source('read', kafkaSource({ topic: 'lines', value: utf8 }))
          .map((line): Order => ({ id: line.length, note: line, ...MORE }))
          .keyBy(() => 'all', utf8, { value: serde })
          .process('keep', {
            state: { last: valueState(serde), lines: valueState(utf8, '') },
            onRecord(order, { last, lines }, out: Output<string>) {
              given.push(order);
              out.emit(`${lines.update((text) => `${text} ${order.note}`)} after ${last.get()?.note ?? 'nothing'}`);
              last.set({ ...order, ...MORE });
            },
          })
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
    );
    job.push('read', 'one', 'two');
    expect(await job.runEpoch()).toMatchObject({ recordsIn: 2, recordsOut: 2 });
    job.restore();
    job.push('read', 'three');
    await job.runUntilIdle();
    expect(job.values('write')).toEqual([' one after nothing', ' one two after one', ' one two three after two']);
    expect(given).toContainEqual({ id: 3, note: 'two' });
    expect(server.requests.filter((request) => request.startsWith('GET'))).toEqual(['GET /schemas/ids/3']);
  });

  it('but not without an end', async () => {
    const { written } = await started();
    const serde = { ...utf8, read: () => raise(new NotPreparedError('never', async () => {})) };
    const flat = testJob(
      defineJob('never', (draft) => {
        draft
          .source('read', kafkaSource({ topic: 'orders', value: bytes }))
          .map((value) => serde.read.call(value))
          .sink('write', kafkaSink({ topic: 'out', value: utf8 }));
      }),
    );
    push(flat, written.mine(1, 'a'));
    expect((await failureOf(flat.runEpoch())).message).toMatch(/after 100 attempts a serde lacks something still/);
  });
});

describe('a sink whose schema is registered', () => {
  it('has it registered before the first record is read, and stops when it is refused', async () => {
    const { server, registry } = await started();
    const job = (schema: object) =>
      testJob(
        defineJob('writing', (draft) => {
          draft
            .source('read', kafkaSource({ topic: 'lines', value: utf8 }))
            .map((line) => ({ id: line.length, note: line }))
            .sink('write', kafkaSink({ topic: 'results', value: avro<Order>(schema, { registry: registry() }) }));
        }),
      );
    const first = job(mine);
    first.push('read', 'abc');
    await first.runUntilIdle();
    expect(first.output('write')).toHaveLength(1);
    expect(server.versions('results-value')).toHaveLength(1);
    const refused = job(record({ name: 'note', type: 'long' }));
    refused.push('read', 'abc');
    const failed = await failureOf(refused.runEpoch());
    expect(failed).toMatchObject({ kind: 'refused', stage: 'read' });
    expect(failed.message).toMatch(/not compatible with what subject results-value has/);
  });
});

describe('a job', () => {
  const registry = schemaRegistry({ url: 'mock://definitions' });
  const serde = avro<Order>(mine, { registry });

  it('is tested with a registry in its own process', async () => {
    const orders = kafkaSource({ topic: 'orders', value: serde });
    const results = kafkaSink({ topic: 'results', value: serde });
    const job = testJob(defineJob('mocked', (draft) => draft.source('read', orders).sink('write', results)));
    job.push(orders, { id: 5, note: 'a' });
    await job.runUntilIdle();
    expect(job.values(results)).toEqual([{ id: 5, note: 'a' }]);
  });

  it('has subjects of the topics that the configuration gives it', () => {
    const job = defineJob('renamed', (draft) => {
      draft.source('read', kafkaSource({ topic: 'orders', value: serde })).sink('write', kafkaSink({ topic: 'results', value: serde }));
    });
    const topics = new Map([
      ['read', 'other-orders'],
      ['write', 'other-results'],
    ]);
    const places: string[] = [];
    const noting: Serde<Order> = {
      ...utf8,
      write: () => {},
      read: () => raise(new Error('never')),
      forTopic: ({ topic, part, use }) => {
        places.push(`${use} ${topic} ${part}`);
        return noting;
      },
    };
    const noted = {
      ...job,
      nodes: job.nodes.map((node) => {
        if (node.kind === 'source') return { ...node, value: noting };
        if (node.kind !== 'sink' || node.to.kind !== 'kafka') return node;
        return { ...node, to: { ...node.to, topics: node.to.topics.map((of) => ({ ...of, value: noting })) } };
      }),
    };
    applyOverrides(noted as never, { topics });
    expect(places.filter((place) => !place.startsWith('write  '))).toEqual(['read other-orders value', 'write other-results value']);
  });

  it.each([
    [
      'a value behind a keyBy',
      () => keyed((draft) => draft.keyBy(() => 'a', utf8, { value: serde })),
      /value of keyBy: serde avro names its schema by the topic of a source or sink, and here is none: give it a `subject`/,
    ],
    ['state', () => valueState(serde).declare('last', 'state last'), /state last: serde avro names its schema by the topic/],
    [
      'the key of a stream',
      () => keyed((draft) => draft.keyBy((order) => order, avro<Order>(mine, { registry, subject: 's' }))),
      /key of keyBy: serde avro writes the id of a schema/,
    ],
    [
      'keys of a map',
      () => mapState(avro<Order>(mine, { registry, subject: 's' }), utf8).declare('m', 'state m'),
      /state m: key: serde avro writes the id of a schema/,
    ],
  ])('that gives it to %s is refused when it is defined', (_what, define, message) => {
    expect(define).toThrow(JobDefinitionError);
    expect(define).toThrow(message);
  });

  function keyed(define: (stream: DataStream<Order>) => unknown) {
    return defineJob('keyed', (draft) => void define(draft.source('read', kafkaSource({ topic: 'orders', value: serde }))));
  }
});

function raise(error: Error): never {
  throw error;
}
