import { describe, expect, it } from 'vitest';
import type { KafkaAnswer, TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { checkPrepared, soundnessOf } from '../../../../lib/sinks/kafka/check-prepared.ts';
import type { KafkaCommittable } from '../../../../lib/sinks/kafka/committable.ts';

const written = (partition: number, first: number, last: number) => ({ topic: 'out', partition, first, last });
const prepared: KafkaCommittable = {
  sink: 'write',
  subtask: 0,
  epoch: 5,
  transactionalId: 'job-write-0-1',
  producerId: '7',
  producerEpoch: 3,
  written: [written(0, 10, 19), written(2, 4, 4)],
};
const open = (partition: number, openSince: number, producerEpoch = 3, producerId = '7') => ({
  topic: 'out',
  partition,
  producerId,
  producerEpoch,
  lastTimestampMs: 0,
  openSince,
});
const own = [open(0, 10), open(2, 4)];

describe('prepared transactions', () => {
  it('that are open from their own first records on are sound, whatever others have open', () => {
    expect(soundnessOf([prepared], [...own, open(0, 2, 9, '8'), open(1, 0, 9, '8')], [])).toEqual({ outcome: 'sound' });
  });

  it('that joined older records are not, and the place is named', () => {
    expect(soundnessOf([prepared], [open(0, 8), open(2, 4)], [])).toMatchObject({
      outcome: 'unsound',
      message: expect.stringContaining('has joined records in topic out, partition 0, from offset 8'),
      leftOpen: [],
    });
  });

  it('that somebody ended, or fenced and wrote to, are not', () => {
    for (const found of [[open(0, 10)], [open(0, 10), open(2, 4, 4)]])
      expect(soundnessOf([prepared], found, [])).toMatchObject({
        outcome: 'unsound',
        message: expect.stringContaining('was ended in topic out, partition 2 before it was decided'),
      });
  });

  it('beside which something else is open under their ids are not, and it is to be aborted with them', () => {
    expect(soundnessOf([prepared], [...own, open(1, 30, 2)], [])).toMatchObject({
      outcome: 'unsound',
      leftOpen: [{ of: prepared, partitions: [{ topic: 'out', partition: 1 }] }],
    });
  });

  it('are not known to be sound while a partition that they wrote to has no leader; others do not matter', () => {
    expect(soundnessOf([prepared], own, [{ topic: 'out', partition: 1 }])).toEqual({ outcome: 'sound' });
    expect(soundnessOf([prepared], [open(0, 10)], [{ topic: 'out', partition: 2 }])).toEqual({
      outcome: 'unknown',
      topic: 'out',
      answer: 'LEADER_NOT_AVAILABLE',
    });
  });
});

describe('what makes prepared transactions unsound', () => {
  /** What brokers say is open, one after the other, the last one for ever. */
  async function check(...answers: (readonly ReturnType<typeof open>[] | KafkaAnswer)[]) {
    let asked = 0;
    const forgotten: string[] = [];
    const kafka = {
      leaders: async () => [1, 1, 1],
      forgetLeaders: (topic: string) => forgotten.push(topic),
      describeProducers: async () => {
        const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
        return typeof answer === 'string' ? { answer, producers: [] } : { answer: 'NONE', producers: answer };
      },
    } as unknown as TransactionRequests;
    const clock = { now: () => 0, elapsedMs: () => 0, sleep: async () => {} };
    const { outcome } = await checkPrepared({ kafka, clock, random: { id: () => '', fraction: () => 0 }, deadlineMs: 0 }, [prepared]);
    return { outcome, asked, forgotten };
  }

  it('is asked again of who leads then: a follower answers too, and may not know yet', async () => {
    expect(await check([open(0, 10)], own)).toEqual({ outcome: 'sound', asked: 2, forgotten: ['out'] });
    expect(await check([open(0, 10)])).toEqual({ outcome: 'unsound', asked: 2, forgotten: ['out'] });
  });

  it('is asked once where there is nothing of it, or no answer', async () => {
    expect(await check(own)).toEqual({ outcome: 'sound', asked: 1, forgotten: [] });
    expect(await check('TOPIC_AUTHORIZATION_FAILED')).toMatchObject({ outcome: 'unknown', asked: 1 });
  });
});
