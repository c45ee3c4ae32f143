import { describe, expect, it } from 'vitest';
import { describeTransactionsRequest } from '../../../lib/kafka/describe-transactions-request.ts';
import { fetchRequest } from '../../../lib/kafka/fetch-request.ts';
import { metadataRequest } from '../../../lib/kafka/metadata-request.ts';
import { offsetFetchRequest } from '../../../lib/kafka/offset-fetch-request.ts';
import { produceRequest } from '../../../lib/kafka/produce-request.ts';
import { ResponseReader } from '../../../lib/kafka/response-reader.ts';
import type { WireRequest } from '../../../lib/kafka/wire-request.ts';

// The bytes were written by the message classes of Apache Kafka's own client 4.3.1 from the same values.
const hex = (text: string) => Buffer.from(text, 'hex');
const bodyOf = (request: WireRequest<unknown>) => Buffer.concat(request.body).toString('hex');

describe('Produce v8', () => {
  const batches = [
    { topic: 'out', partition: 0, batch: Buffer.from([1, 2, 3]) },
    { topic: 'other', partition: 1, batch: Buffer.from([5, 6]) },
    { topic: 'out', partition: 2, batch: Buffer.from([4]) },
  ];

  it("encodes several partitions of several topics as Kafka's client does", () => {
    expect(bodyOf(produceRequest('job-1', batches, 15_000))).toBe(
      '00056a6f622d31ffff00003a980000000200036f757400000002000000000000000301020300000002000000010400056f746865720000000100000001000000020506',
    );
  });

  it('hands the batches over without copying them', () => {
    const { body } = produceRequest('job-1', batches, 15_000);
    expect(batches.every(({ batch }) => body.includes(batch))).toBe(true);
  });

  it('answers with the error that will not pass when several partitions failed', async () => {
    const request = produceRequest('job-1', batches, 15_000);
    // out-0: NOT_LEADER_OR_FOLLOWER, out-2: NONE, other-1: INVALID_PRODUCER_EPOCH
    const response = await request.decode(
      hex(
        '0000000200036f757400000002000000000006ffffffffffffffffffffffffffffffffffffffffffffffff00000000ffff000000020000000000000000004d' +
          'ffffffffffffffffffffffffffffffff00000000ffff00056f746865720000000100000001002fffffffffffffffffffffffffffffffffffffffffffffffff' +
          '00000000ffff00000009',
      ),
    );
    expect(response).toEqual({ answer: 'INVALID_PRODUCER_EPOCH', baseOffsets: [-1, -1, 77], throttleMs: 9 });
  });

  it('says which record was refused, and why', async () => {
    // out-0: INVALID_RECORD of record 3, out-2 and other-1: NONE
    const response = await produceRequest('job-1', batches, 15_000).decode(
      hex(
        '0000000200036f757400000002000000000057ffffffffffffffffffffffffffffffffffffffffffffffff000000010000000300066e6f206b657900264f6e' +
          '65206f72206d6f7265207265636f7264732068617665206265656e2072656a65637465640000000200000000000000000004ffffffffffffffffffffffffff' +
          'ffffff00000000ffff00056f74686572000000010000000100000000000000000005ffffffffffffffffffffffffffffffff00000000ffff00000000',
      ),
    );
    expect(response).toMatchObject({
      answer: 'INVALID_RECORD',
      refused: 'topic out, partition 0, record 3 of its batch: no key',
    });
  });

  it('takes no response for an acknowledgement of a batch that it does not mention', () => {
    const request = produceRequest('job-1', batches, 15_000);
    expect(() => request.decode(hex('0000000000000000'))).toThrow('Produce of 3 batches was answered for 0');
  });

  it('refuses two batches of one partition, which the broker would refuse later', () => {
    const twice = [batches[0], batches[0]].filter((batch) => batch !== undefined);
    expect(() => produceRequest('job-1', twice, 15_000)).toThrow(RangeError);
  });
});

describe('Fetch v10', () => {
  const ranges = [
    { topic: 'in', partition: 0, offset: 5_000_000_000, maxBytes: 1_000_000 },
    { topic: 'in', partition: 2, offset: 7, maxBytes: 2_000_000 },
    { topic: 'more', partition: 1, offset: 0, maxBytes: 500 },
  ];
  const request = fetchRequest(ranges, { maxBytes: 3_000_000, maxWaitMs: 200, minBytes: 1 });

  it("asks read_committed, without a session, as Kafka's client does", () => {
    expect(bodyOf(request)).toBe(
      'ffffffff000000c800000001002dc6c00100000000ffffffff000000020002696e0000000200000000ffffffff000000012a05f200ffffffffffffffff000f4240' +
        '00000002ffffffff0000000000000007ffffffffffffffff001e848000046d6f72650000000100000001ffffffff0000000000000000ffffffffffffffff000001f4' +
        '00000000',
    );
  });

  const response = hex(
    '00000003000000000000000000020002696e00000002000000000000000000012a05f264000000012a05f25a000000000000000b0000000200000000ee6b2801' +
      '000000012a05f2140000000000000009000000012a05f20a00000003090807000000020001ffffffffffffffffffffffffffffffffffffffffffffffff' +
      'ffffffffffffffff00046d6f726500000001000000010000000000000000000400000000000000040000000000000000000000000000000105',
  );

  it('reads offsets, aborted transactions and records of each partition', async () => {
    expect((await request.decode(response)).partitions).toEqual([
      {
        topic: 'in',
        partition: 0,
        answer: 'NONE',
        logStartOffset: 11,
        highWatermark: 5_000_000_100,
        lastStableOffset: 5_000_000_090,
        aborted: [
          { producerId: 4_000_000_001n, firstOffset: 5_000_000_020 },
          { producerId: 9n, firstOffset: 5_000_000_010 },
        ],
        records: Buffer.from([9, 8, 7]),
      },
      {
        topic: 'in',
        partition: 2,
        answer: 'OFFSET_OUT_OF_RANGE',
        logStartOffset: -1,
        highWatermark: -1,
        lastStableOffset: -1,
        aborted: [],
        records: Buffer.alloc(0),
      },
      {
        topic: 'more',
        partition: 1,
        answer: 'NONE',
        logStartOffset: 0,
        highWatermark: 4,
        lastStableOffset: 4,
        aborted: [],
        records: Buffer.from([5]),
      },
    ]);
  });

  it('gives the records as views on the response', async () => {
    const [first] = (await request.decode(response)).partitions;
    expect(first?.records.buffer).toBe(response.buffer);
  });

  it('spreads an error of the whole request over its ranges', async () => {
    const { partitions } = await request.decode(hex('00000000ffff0000000000000000'));
    expect(partitions.map(({ topic, partition, answer }) => [topic, partition, answer])).toEqual([
      ['in', 0, 'UNKNOWN_SERVER_ERROR'],
      ['in', 2, 'UNKNOWN_SERVER_ERROR'],
      ['more', 1, 'UNKNOWN_SERVER_ERROR'],
    ]);
  });
});

describe('OffsetFetch v7', () => {
  const request = offsetFetchRequest('marker-1', 'out', [0, 2], true);

  it("asks for stable offsets in compact types, as Kafka's client does", () => {
    expect(bodyOf(request)).toBe('096d61726b65722d3102046f7574030000000000000002000100');
    expect(request.api).toMatchObject({ version: 7, flexible: true });
  });

  it('reads offset, metadata and error of each partition', async () => {
    const response = await request.decode(
      hex('0000000702046f75740300000000000000012a05f200ffffffff03643100000000000002ffffffffffffffffffffffff0100580000000000'),
    );
    expect(response.answer).toBe('NONE');
    expect(response.throttleMs).toBe(7);
    expect([...response.partitions]).toEqual([
      [0, { answer: 'NONE', offset: 5_000_000_000, metadata: 'd1' }],
      [2, { answer: 'UNSTABLE_OFFSET_COMMIT', offset: undefined, metadata: '' }],
    ]);
  });

  it('skips tagged fields that a later broker may add', async () => {
    // As above with one partition, and a tagged field (tag 0, two bytes) behind the partition, the topic and the response.
    const response = await request.decode(
      hex('0000000002046f757402000000000000000000000005ffffffff0364310000' + '010002aabb' + '010002aabb' + '0000' + '010002aabb'),
    );
    expect([...response.partitions]).toEqual([[0, { answer: 'NONE', offset: 5, metadata: 'd1' }]]);
    expect(response.answer).toBe('NONE');
  });
});

describe('DescribeTransactions v0', () => {
  const request = describeTransactionsRequest(['job-1-sink-0-0', 'job-1-sink-0-1']);

  it("asks for several ids as Kafka's client does", () => {
    expect(bodyOf(request)).toBe('030f6a6f622d312d73696e6b2d302d300f6a6f622d312d73696e6b2d302d3100');
  });

  it('reads an open transaction, one that is over, and an id that nobody knows', async () => {
    const { transactions, throttleMs } = await request.decode(
      hex(
        '000000070400000f6a6f622d312d73696e6b2d302d30084f6e676f696e67000927c00000018bcfe5687b0020000000000001000c0307636f756e74730300000000' +
          '0000000200135f5f636f6e73756d65725f6f6666736574730200000004000000000f6a6f622d312d73696e6b2d302d310f436f6d706c657465436f6d6d6974000927' +
          'c0ffffffffffffffff00000000000000050000010000690f6a6f622d312d73696e6b2d312d300100000000000000000000000000000000000000000000010000',
      ),
    );
    expect(throttleMs).toBe(7);
    expect(transactions).toEqual([
      {
        answer: 'NONE',
        transactionalId: 'job-1-sink-0-0',
        state: 'Ongoing',
        producerId: '9007199254740993',
        producerEpoch: 12,
        timeoutMs: 600_000,
        startedAtMs: 1_700_000_000_123,
        partitions: [
          { topic: 'counts', partition: 0 },
          { topic: 'counts', partition: 2 },
          { topic: '__consumer_offsets', partition: 4 },
        ],
      },
      expect.objectContaining({ transactionalId: 'job-1-sink-0-1', state: 'CompleteCommit', startedAtMs: undefined, partitions: [] }),
      expect.objectContaining({ transactionalId: 'job-1-sink-1-0', state: 'unknown', answer: 'TRANSACTIONAL_ID_NOT_FOUND' }),
    ]);
  });
});

describe('Metadata v10', () => {
  it('asks for topics by name, and for the brokers alone, and never creates a topic', () => {
    const noId = '00'.repeat(16);
    expect(bodyOf(metadataRequest(['in', 'out']))).toBe(`03${noId}03696e00${noId}046f757400${'00000000'}`);
    expect(bodyOf(metadataRequest([]))).toBe('0100000000');
    expect(bodyOf(metadataRequest([], true))).toBe('0100000100');
  });

  it('reads brokers, ids of topics, leaders and leader epochs', async () => {
    const response = hex(
      `0000000b${'03'}00000002086b61666b612d3200002384026200${'00000003'}086b61666b612d33000023850000${'04616263'}00000003` +
        `03${'0000'}03696e000102030405060708090a0b0c0d0e0f00` +
        `03${'0000'}0000000000000002000000070300000002000000030200000002${'0200000003'}00` +
        `0005${'00000001'}ffffffff00000009020000000301020000000300${'80000000'}00` +
        `0003${'046f7574'}${'00'.repeat(16)}00018000000000${'80000000'}00`,
    );
    expect(await metadataRequest(['in', 'out']).decode(response)).toEqual({
      throttleMs: 11,
      brokers: [
        { nodeId: 2, host: 'kafka-2', port: 9092 },
        { nodeId: 3, host: 'kafka-3', port: 9093 },
      ],
      topics: [
        {
          errorCode: 0,
          topic: 'in',
          id: 'AAECAwQFBgcICQoLDA0ODw',
          partitions: [
            { partition: 0, leader: 2, leaderEpoch: 7, replicas: 2, inSync: 1 },
            { partition: 1, leader: -1, leaderEpoch: 9, replicas: 1, inSync: 0 },
          ],
          operations: -(2 ** 31),
        },
        { errorCode: 3, topic: 'out', id: undefined, partitions: [], operations: -(2 ** 31) },
      ],
    });
  });
});

describe('the response reader', () => {
  /** Puts `bytes` into the reader in pieces of at most `piece` bytes. */
  function responsesIn(bytes: Buffer, piece: number): string[] {
    const reader = new ResponseReader();
    const found: Buffer[] = [];
    for (let position = 0; position < bytes.length; ) {
      const count = bytes.copy(reader.space(), 0, position, Math.min(position + piece, bytes.length));
      found.push(...reader.responses(count));
      position += count;
    }
    return found.map((response) => response.toString('hex'));
  }

  const frame = (body: Buffer) => Buffer.concat([Buffer.from([0, 0, body.length >> 8, body.length & 0xff]), body]);
  const bodies = [4, 5, 300, 4, 40_000, 7].map((length, index) => Buffer.alloc(length, index + 1));
  const stream = Buffer.concat(bodies.map(frame));

  it.each([1, 2, 3, 5, 7, 64, 1000, stream.length])('finds the same responses when bytes come in pieces of %i', (piece) => {
    expect(responsesIn(stream, piece)).toEqual(bodies.map((body) => body.toString('hex')));
  });

  it('gives each response bytes of its own, which later ones do not overwrite', () => {
    const reader = new ResponseReader();
    const put = (bytes: Buffer) => [...reader.responses(bytes.copy(reader.space()))];
    const [first] = put(frame(Buffer.from('first')));
    put(frame(Buffer.from('other')));
    expect(first?.toString()).toBe('first');
  });

  it('reads a large response straight into a buffer of its size', () => {
    const reader = new ResponseReader();
    const size = Buffer.alloc(4);
    size.writeInt32BE(50_000_000);
    expect([...reader.responses(size.copy(reader.space()))]).toEqual([]);
    expect(reader.space().length).toBe(50_000_000);
  });

  it('says so when the other side does not speak Kafka', () => {
    const reader = new ResponseReader();
    expect(() => [...reader.responses(Buffer.from('HTTP/1.1 400').copy(reader.space()))]).toThrow("not Kafka's protocol");
  });
});
