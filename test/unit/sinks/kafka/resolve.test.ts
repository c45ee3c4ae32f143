import { describe, expect, it } from 'vitest';
import {
  type FetchLimits,
  type FetchRange,
  KafkaProblem,
  type ProducerIdentity,
  type TransactionRequests,
} from '../../../../lib/ports/kafka-requests.ts';
import type { StageRequest } from '../../../../lib/protocol/requests.ts';
import { resolveTransaction } from '../../../../lib/sinks/kafka/resolve.ts';
import { received } from '../../../../lib/stages/received.ts';
import { encodeBatch } from '../../../simulation/models/wire.ts';
import { permitOf } from '../../../support/decided.ts';

const written = [{ topic: 'out', partition: 0, first: 10, last: 19 }];
const committable = { sink: 'sink', subtask: 0, epoch: 3, transactionalId: 'job-1-sink-0-1', producerId: '7', producerEpoch: 3, written };

it('a transaction that is open where it is thought to be led is aborted there, and looked for next time where it is led then', async () => {
  const forgotten: string[] = [];
  const ours = encodeBatch(
    { producerId: 7n, producerEpoch: 3, transactional: true, timestampMs: 0 },
    Array.from({ length: 10 }, () => 'x'),
  );
  ours.writeBigInt64BE(10n, 0);
  const kafka = {
    initProducerId: async () => ({ answer: 'NONE', producerId: '7', producerEpoch: 4 }),
    addPartitions: async () => 'NONE',
    endTxn: async () => 'NONE',
    fetch: async (ranges: readonly FetchRange[]) =>
      ranges.map(({ topic, partition }) => ({
        topic,
        partition,
        answer: 'NONE',
        logStartOffset: 0,
        highWatermark: 20,
        lastStableOffset: 10,
        aborted: [],
        records: ours,
      })),
    forgetLeaders: (topic: string) => void forgotten.push(topic),
  } as unknown as TransactionRequests;
  const clock = { now: () => 0, elapsedMs: () => 0, sleep: async () => {} };
  const outcome = await resolveTransaction(
    { kafka, clock, random: { id: () => '', fraction: () => 0 }, deadlineMs: 1_000 },
    {
      permit: permitOf(3, 'd'),
      committable,
      transactionTimeoutMs: 60_000,
      compacted: new Set(),
      onMissingEvidence: 'stop',
      staged: () => expect.fail('nothing is sent again'),
    },
  );
  expect(outcome).toMatchObject({ outcome: 'unsettled', message: expect.stringContaining('it is aborted there (NONE)') });
  expect(forgotten).toEqual(['out']);
});

it('where the id could not be fenced nothing is judged, taken in or sent: what ran under it may still commit', async () => {
  const asked: string[] = [];
  const kafka = {
    initProducerId: async () => ({ answer: 'INVALID_PRODUCER_EPOCH', producerId: '-1', producerEpoch: -1 }),
    fetch: async (ranges: readonly FetchRange[]) =>
      ranges.map(({ topic, partition }) => ({
        ...{ topic, partition, answer: 'NONE', logStartOffset: 0, highWatermark: 20, lastStableOffset: 10 },
        ...{ aborted: [], records: Buffer.alloc(0) },
      })),
    addPartitions: async () => asked.push('addPartitions'),
    endTxn: async () => asked.push('endTxn'),
    forgetLeaders: () => {},
  } as unknown as TransactionRequests;
  let elapsedMs = 0;
  const sleep = async (ms: number) => {
    elapsedMs += ms;
  };
  const clock = { now: () => 0, elapsedMs: () => elapsedMs++, sleep };
  const outcome = await resolveTransaction(
    { kafka, clock, random: { id: () => '', fraction: () => 0 }, deadlineMs: 1_000 },
    {
      ...{ permit: permitOf(3, 'd'), committable, transactionTimeoutMs: 60_000, compacted: new Set<string>(), onMissingEvidence: 'stop' },
      staged: () => expect.fail('nothing is sent again'),
    },
  );
  expect(outcome).toEqual({ outcome: 'unsettled', message: expect.stringContaining('InitProducerId was answered INVALID_PRODUCER_EPOCH') });
  expect(asked).toEqual([]);
});

it('a look that is refused needs a person, and is not repeated without end', async () => {
  const kafka = {
    initProducerId: async () => ({ answer: 'NONE', producerId: '7', producerEpoch: 4 }),
    fetch: async (ranges: readonly FetchRange[]) =>
      ranges.map(({ topic, partition }) => ({
        ...{ topic, partition, answer: 'TOPIC_AUTHORIZATION_FAILED', logStartOffset: -1, highWatermark: -1, lastStableOffset: -1 },
        ...{ aborted: [], records: Buffer.alloc(0) },
      })),
  } as unknown as TransactionRequests;
  const outcome = await resolveTransaction(
    {
      kafka,
      clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
      random: { id: () => '', fraction: () => 0 },
      deadlineMs: 1_000,
    },
    {
      permit: permitOf(3, 'd'),
      committable,
      transactionTimeoutMs: 60_000,
      compacted: new Set(),
      onMissingEvidence: 'stop',
      staged: () => expect.fail('nothing is sent again'),
    },
  );
  expect(outcome).toMatchObject({
    outcome: 'refused',
    message: expect.stringMatching(/epoch 3: a look at out-0 was answered TOPIC_AUTHORIZATION_FAILED: grant READ, .* on topic out /),
  });
});

it('a partition that nobody knows any more is told before the time for the request is over, however little that is', async () => {
  let nowMs = 0;
  const kafka = {
    initProducerId: async () => ({ answer: 'NONE', producerId: '7', producerEpoch: 4 }),
    // As the client does: what may pass within a moment is asked for again, for 1.3 s or as long as there is time.
    fetch: async (ranges: readonly FetchRange[], { untilMs = Number.POSITIVE_INFINITY }: FetchLimits) => {
      nowMs += Math.max(5, Math.min(1_300, untilMs - nowMs));
      return ranges.map(({ topic, partition }) => ({
        ...{ topic, partition, answer: 'UNKNOWN_TOPIC_OR_PARTITION', logStartOffset: -1, highWatermark: -1, lastStableOffset: -1 },
        ...{ aborted: [], records: Buffer.alloc(0) },
      }));
    },
  } as unknown as TransactionRequests;
  const request = received({ timeoutMs: 1_500 } as StageRequest, nowMs);
  const outcome = await resolveTransaction(
    {
      kafka,
      clock: { now: () => 0, elapsedMs: () => nowMs, sleep: async () => {} },
      random: { id: () => '', fraction: () => 0 },
      deadlineMs: request.deadlineMs,
    },
    {
      permit: permitOf(3, 'd'),
      committable,
      transactionTimeoutMs: 60_000,
      compacted: new Set(),
      onMissingEvidence: 'stop',
      staged: () => expect.fail('nothing is sent again'),
    },
  );
  expect(outcome).toMatchObject({ outcome: 'unsettled', unknownTopic: 'out' });
  expect(nowMs).toBeLessThan(1_500);
});

it.each([
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'unsettled', 'sending again: Produce was answered OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['UNSUPPORTED_COMPRESSION_TYPE', 'refused', 'Produce was answered UNSUPPORTED_COMPRESSION_TYPE: see the ACLs in docs/configuration.md'],
  [
    'INVALID_RECORD',
    'refused',
    'Produce was answered INVALID_RECORD: the topic takes no such record (a compacted topic takes none without a key)',
  ],
] as const)('what is sent again and answered %s is aborted before it is told to be %s', async (answer, outcome, message) => {
  const ends: string[] = [];
  const kafka = {
    initProducerId: async () => ({ answer: 'NONE', producerId: '7', producerEpoch: 4 }),
    fetch: async (ranges: readonly FetchRange[]) =>
      ranges.map(({ topic, partition }) => ({
        ...{ topic, partition, answer: 'OFFSET_OUT_OF_RANGE', logStartOffset: 30, highWatermark: 40, lastStableOffset: 40 },
        ...{ aborted: [], records: Buffer.alloc(0) },
      })),
    addPartitions: async () => 'NONE',
    leaders: async () => [1],
    forgetLeaders: () => {},
    produce: async () => ({ answer, baseOffsets: [] }),
    endTxn: async ({ producerEpoch }: ProducerIdentity, commit: boolean) => {
      await new Promise((resolve) => setImmediate(resolve));
      ends.push(`${commit ? 'commit' : 'abort'} of epoch ${producerEpoch}`);
      return 'NONE';
    },
  } as unknown as TransactionRequests;
  const batches = encodeBatch({ producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: 0 }, ['x']);
  const resolved = await resolveTransaction(
    {
      kafka,
      clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
      random: { id: () => '', fraction: () => 0 },
      deadlineMs: 1_000,
    },
    {
      permit: permitOf(3, 'd'),
      committable,
      transactionTimeoutMs: 60_000,
      compacted: new Set(),
      onMissingEvidence: 'lost',
      staged: async () => [{ topic: 'out', partition: 0, batches }],
    },
  );
  expect(resolved).toEqual({ outcome, message: `transaction job-1-sink-0-1 of epoch 3: ${message}` });
  expect(ends).toEqual(['abort of epoch 4']);
});

describe('of a transaction that wrote to several topics, one of which is gone,', () => {
  const several = {
    ...committable,
    written: [
      { topic: 'gone', partition: 0, first: 3, last: 4 },
      { topic: 'out', partition: 0, first: 10, last: 19 },
    ],
  };
  /** What became of it in `out`. */
  async function resolved(fate: 'committed' | 'aborted' | 'leaderless', onMissingEvidence: 'stop' | 'committed', missing?: string) {
    const sent: string[] = [];
    const ours = encodeBatch(
      { producerId: 7n, producerEpoch: 3, transactional: true, timestampMs: 0 },
      Array.from({ length: 10 }, () => 'x'),
    );
    ours.writeBigInt64BE(10n, 0);
    const kafka = {
      initProducerId: async () => ({ answer: 'NONE', producerId: '7', producerEpoch: 4 }),
      addPartitions: async () => 'NONE',
      endTxn: async () => 'NONE',
      leaders: async () => [0],
      forgetLeaders: () => {},
      produce: async (_who: unknown, _leader: number, batches: readonly { topic: string }[]) => {
        sent.push(...batches.map(({ topic }) => topic));
        return { answer: 'NONE', baseOffsets: batches.map(() => 30) };
      },
      fetch: async (ranges: readonly FetchRange[]) => {
        if (ranges.some(({ topic }) => topic === 'gone')) throw new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', 'topic gone', false);
        const aborted = fate === 'aborted' ? [{ producerId: 7n, firstOffset: 10 }] : [];
        const answer = fate === 'leaderless' ? 'LEADER_NOT_AVAILABLE' : 'NONE';
        return ranges.map(({ topic, partition }) => ({
          ...{ topic, partition, answer, logStartOffset: 0, highWatermark: 21, lastStableOffset: 21 },
          ...{ aborted, records: ours },
        }));
      },
    } as unknown as TransactionRequests;
    const outcome = await resolveTransaction(
      {
        kafka,
        clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
        random: { id: () => '', fraction: () => 0 },
        deadlineMs: 1_000,
      },
      {
        permit: permitOf(3, 'd'),
        committable: several,
        transactionTimeoutMs: 60_000,
        compacted: new Set(),
        onMissingEvidence,
        missing,
        staged: async () =>
          several.written.map(({ topic, partition }) => ({
            topic,
            partition,
            batches: encodeBatch({ producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: 0 }, ['x']),
          })),
      },
    );
    return { outcome, sent };
  }

  it('it is that topic which is named', async () => {
    const { outcome } = await resolved('committed', 'stop');
    expect(outcome).toMatchObject({
      outcome: 'unsettled',
      unknownTopic: 'gone',
      message: expect.stringMatching(/gone-0 is unknown .*out-0 is committed/),
    });
  });

  it('whoever gives up its output gives up that of no other: what was aborted there is sent again', async () => {
    const { outcome, sent } = await resolved('aborted', 'committed');
    expect(outcome).toMatchObject({ outcome: 'sent-again', committable: { written: [{ topic: 'out', first: 30 }] } });
    expect(sent).toEqual(['out']);
    expect((await resolved('committed', 'committed')).outcome).toMatchObject({ outcome: 'unsettled', unknownTopic: 'gone' });
    expect((await resolved('aborted', 'stop')).sent).toEqual([]);
  });

  it('its output is given up when that is what has been missing, and nothing else', async () => {
    expect((await resolved('committed', 'stop')).outcome).toMatchObject({ missing: 'gone-0' });
    expect((await resolved('aborted', 'committed', 'gone-0')).sent).toEqual(['out']);
    const { outcome, sent } = await resolved('aborted', 'committed', 'out-0');
    expect(outcome).toMatchObject({ outcome: 'unsettled', missing: 'gone-0' });
    expect(sent).toEqual([]);
  });

  it.each(['stop', 'committed'] as const)(
    'it is not named as what is missing while nobody knows what became of another (%s)',
    async (rule) => {
      const { outcome } = await resolved('leaderless', rule);
      expect(outcome).toMatchObject({
        outcome: 'unsettled',
        message: expect.stringContaining('out-0 is unknown (LEADER_NOT_AVAILABLE)'),
      });
      expect(outcome).not.toHaveProperty('unknownTopic');
    },
  );
});
