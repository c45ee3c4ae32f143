import { describe, expect, it } from 'vitest';
import { transactionsResult } from '../../../cli/commands/transactions.ts';
import type { InspectDeps } from '../../../lib/inspect/deps.ts';
import { readTransactions, type TransactionFacts, transactionsOf } from '../../../lib/inspect/transactions.ts';
import type { EpochStore, JobRow } from '../../../lib/ports/epoch-store.ts';
import { type FetchRange, KafkaProblem, type KafkaRequests, type TransactionDescription } from '../../../lib/ports/kafka-requests.ts';
import { kafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import { opennessOf } from '../../../lib/sinks/kafka/open.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { BlobBucket, modelBlobStore } from '../../simulation/models/blob-bucket.ts';
import { epochRowOf, jobRowOf, manifestOf, NOW } from './rows.ts';

const [EVEN, ODD] = ['word-count-inc-write-0-0', 'word-count-inc-write-0-1'];

function transaction(transactionalId: string, state: string, change: Partial<TransactionDescription> = {}): TransactionDescription {
  const isOpen = opennessOf({ state }) !== 'over';
  return {
    transactionalId,
    state,
    producerId: '7',
    producerEpoch: 3,
    timeoutMs: 60_000,
    startedAtMs: isOpen ? NOW - 20_000 : undefined,
    partitions: isOpen
      ? [
          { topic: 'counts', partition: 1 },
          { topic: '__consumer_offsets', partition: 4 },
        ]
      : [],
    ...change,
  };
}

const held = { topic: 'counts', partition: 1, lastStableOffset: 40, highWatermark: 45 };
const dead = jobRowOf({ leaseExpiresAtMs: NOW - 1 });

function resultOf(change: Partial<TransactionFacts>) {
  const facts: TransactionFacts = {
    row: jobRowOf(),
    newest: manifestOf(9).committables.map(kafkaCommittable),
    transactions: [transaction(EVEN, 'CompleteCommit'), transaction(ODD, 'CompleteCommit')],
    fates: new Map([[ODD, { epoch: 9, fate: 'committed' }]]),
    held: [],
    open: [],
    nowMs: NOW,
    ...change,
  };
  return transactionsResult(transactionsOf(facts));
}

describe('transactions', () => {
  it('that are over show what the log holds of the last epoch, and no reader is held up', () => {
    expect(resultOf({})).toMatchObject({
      code: 0,
      text: [
        'transactional id          state           open for  in the log',
        'word-count-inc-write-0-0  CompleteCommit',
        'word-count-inc-write-0-1  CompleteCommit            epoch 9 committed',
        '',
        '0 of 2 transactions open; no reader is held up',
      ].join('\n'),
    });
  });

  it('that are open while somebody runs the job are its work: decided or not', () => {
    const { code, text } = resultOf({ transactions: [transaction(EVEN, 'Ongoing'), transaction(ODD, 'Ongoing')] });
    expect(code).toBe(0);
    expect(text).toMatch(
      /-0-0 +Ongoing +20 s +an attempt under way\n.*-0-1 +Ongoing +20 s +epoch 9 committed +epoch 9, decided: is being committed\n\n2 of 2/,
    );
  });

  it('that a dead job left open and that hold up readers are named, with who ends them and when: exit code 6', () => {
    const { code, text, json } = resultOf({
      row: dead,
      transactions: [transaction(EVEN, 'Ongoing'), transaction(ODD, 'CompleteCommit')],
      held: [held],
    });
    expect(code).toBe(6);
    expect(text).toContain(
      'HOLDS UP READERS of counts-1; left open, not decided: the next start, stop or cancel aborts it, or the broker in 40 s',
    );
    expect(text).toContain(
      '1 of 2 transactions open; held up:\n  counts-1: readers of committed data stop at 40, 5 offsets before the end',
    );
    expect(json).toMatchObject({
      transactions: [{ openness: 'open', openForMs: 20_000, holdsUp: ['counts-1'] }, { holdsUp: [] }],
      heldUpByOthers: [],
    });
  });

  it('of a decided epoch that a dead job left are to be committed', () => {
    const { text } = resultOf({ row: dead, transactions: [transaction(ODD, 'Ongoing')], held: [held] });
    expect(text).toContain('epoch 9, decided: the next start or stop commits it');
  });

  it('under the id of a decided epoch but of another producer are not that epoch', () => {
    const { text } = resultOf({ row: dead, transactions: [transaction(ODD, 'Ongoing', { producerEpoch: 4 })] });
    expect(text).toContain('left open, not decided');
  });

  it('that the broker is ending need nobody, and hold up readers only for a moment', () => {
    const { code, text } = resultOf({ transactions: [transaction(EVEN, 'PrepareCommit')], held: [held] });
    expect(code).toBe(0);
    expect(text).toContain('the broker is ending it');
  });

  it("that are not the job's and hold up readers of its topics are told apart", () => {
    const { code, text, json } = resultOf({ row: dead, held: [held] });
    expect(code).toBe(0);
    expect(text).toMatch(/counts-1: held up by a transaction that is not this job's$/);
    expect(json).toMatchObject({ heldUpByOthers: ['counts-1'] });
  });

  it("that are the job's, and whose end a broker forgot, are not told to be somebody else's", () => {
    const open = [{ topic: 'counts', partition: 1, producerId: '7', producerEpoch: 2, lastTimestampMs: NOW, openSince: 40 }];
    const { code, text, json } = resultOf({ row: dead, held: [held], open });
    expect(code).toBe(6);
    expect(text).toMatch(/counts-1: held up by records of this job whose end a broker forgot \(KAFKA-20734\)/);
    expect(text).not.toContain('not this job');
    expect(json).toMatchObject({ heldUpByForgotten: ['counts-1'], heldUpByOthers: [] });
  });

  it('of a job that has used none', () => {
    expect(resultOf({ transactions: [] })).toMatchObject({ code: 0, text: 'job word-count has no transactional ids yet' });
  });
});

describe('what is read of transactions', () => {
  /** The brokers of a job whose last epoch was sent again under a newer identity, and is open. What is in the log is somebody else's. */
  const brokers = {
    partitionCount: async (topic: string) => {
      if (topic === 'counts') return 2;
      throw new KafkaProblem('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} does not exist`, false);
    },
    offsets: async () => [40, 40],
    fetch: async (ranges: readonly FetchRange[]) =>
      ranges.map((range) => ({
        ...range,
        answer: 'NONE',
        logStartOffset: 0,
        highWatermark: 50,
        lastStableOffset: 40,
        aborted: [],
        records: Buffer.alloc(0),
      })),
    leaders: async () => [0, 0],
    describeProducers: async () => ({ answer: 'NONE', producers: [] }),
    describeTransactions: async () => [transaction(EVEN, 'CompleteCommit'), transaction(ODD, 'Ongoing', { producerEpoch: 4 })],
  } as Partial<KafkaRequests> as KafkaRequests;
  const bucket = new BlobBucket(() => NOW);
  const blobStore = modelBlobStore(bucket, async (_api, _about, _failure, execute) => execute(undefined as never));
  const random = { id: () => 'n', fraction: () => 0 };

  async function read(change: Partial<JobRow>): Promise<string> {
    const deps = {
      job: 'word-count',
      epochs: { readJob: async () => ({ ...dead, ...change }), readEpoch: async () => epochRowOf(9) } as Partial<EpochStore> as EpochStore,
      clock: { now: () => NOW, elapsedMs: () => 0, sleep: async () => {} },
      random,
      kafka: async () => brokers,
      blobStore: async () => blobStore,
    } satisfies InspectDeps;
    const found = await readTransactions(deps);
    if (found === undefined) throw new Error('there is a job');
    return String(transactionsResult(found).text);
  }

  const again = manifestOf(9).committables.map((of) => ({ ...of, token: { ...of.token, producerEpoch: 4 } }));

  it('sent again is of the decided epoch: the next start commits it, and aborts nothing', async () => {
    const text = await read({ sentAgain: { decisionId: 'd9', id: 'a', committables: { at: 'row', list: again } } });
    expect(text).toContain('epoch 9, decided: the next start or stop commits it');
    expect(text).not.toContain('not decided');
  });

  it('sent again is known from a blob too, where many are', async () => {
    const place = { job: 'word-count', incarnation: 'inc', stage: 'sent-again', subtask: 0, epoch: 10 };
    const ref = await createBlobs(blobStore, random).write(place, 'manifest', 'manifest', [Buffer.from(JSON.stringify(again))], 0);
    const name = ref.at === 'store' ? ref.name : '';
    const text = await read({ sentAgain: { decisionId: 'd9', id: 'a', committables: { at: 'blob', name } } });
    expect(text).toContain('epoch 9, decided: the next start or stop commits it');
  });

  it('of a topic that was made anew and has grown is no evidence: what is there is not what the epoch wrote', async () => {
    expect(await read({})).toContain('epoch 9 no-evidence');
  });

  it('passes over a topic that the job once wrote to and that is gone', async () => {
    const pool = { kafka: { write: { subtasks: 1, places: ['old-counts', 'counts'] } } };
    expect(await read({ pool })).toContain('counts-1: readers of committed data stop at 40');
  });
});

describe('a transactional id', () => {
  it.each([
    ['unknown', 'over'],
    ['Empty', 'over'],
    ['CompleteAbort', 'over'],
    ['Dead', 'over'],
    ['PrepareAbort', 'ending'],
    ['Ongoing', 'open'],
    ['PrepareEpochFence', 'open'],
    ['a state of later brokers', 'open'],
  ])('in state %s is %s', (state, openness) => {
    expect(opennessOf({ state })).toBe(openness);
  });
});
