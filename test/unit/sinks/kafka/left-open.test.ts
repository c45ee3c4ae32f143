import { expect, it } from 'vitest';
import { type KafkaAnswer, KafkaProblem } from '../../../../lib/ports/kafka-requests.ts';
import type { Asking } from '../../../../lib/sinks/kafka/asking.ts';
import { readOpen } from '../../../../lib/sinks/kafka/left-open.ts';

/** Reads what is open while `leaders` is answered so, one after the other, the last one for ever; for at most 1 s of its clock. */
async function read(...leaders: readonly (readonly number[] | KafkaAnswer)[]) {
  let nowMs = 0;
  let asked = 0;
  const forgotten: string[] = [];
  const described: string[] = [];
  const asking = {
    clock: {
      elapsedMs: () => nowMs,
      now: () => nowMs,
      sleep: async (ms: number) => {
        nowMs += ms;
      },
    },
    random: { fraction: () => 1, id: () => '' },
    deadlineMs: 1_000,
    kafka: {
      leaders: async (topic: string) => {
        const answer = leaders[Math.min(asked++, leaders.length - 1)] ?? [];
        if (typeof answer === 'string') throw new KafkaProblem(answer, `no ${topic}`, false);
        return answer;
      },
      describeProducers: async (leader: number, _topic: string, partitions: readonly number[]) => {
        described.push(`${leader}: ${partitions.join(', ')}`);
        return {
          answer: leader === 9 ? 'NOT_LEADER_OR_FOLLOWER' : 'NONE',
          producers: partitions.flatMap((partition) => [
            { partition, producerId: '7', producerEpoch: 1, openSince: 10 + partition },
            { partition, producerId: '8', producerEpoch: 1, openSince: undefined },
          ]),
        };
      },
      forgetLeaders: (topic: string) => forgotten.push(topic),
    },
  } as unknown as Asking;
  const reading = await readOpen(asking, 'out');
  return { ...reading, asked, forgotten, described };
}

it('each leader is asked once, for its partitions, and what has ended is left out', async () => {
  const found = await read([1, 2, 1]);
  expect(found.described).toEqual(['1: 0, 2', '2: 1']);
  expect(found).toMatchObject({ answer: 'NONE', leaderless: [], forgotten: [] });
  expect(found.open.map(({ partition, producerId, openSince }) => [partition, producerId, openSince]).sort()).toEqual([
    [0, '7', 10],
    [1, '7', 11],
    [2, '7', 12],
  ]);
});

it('a topic that no broker knows is an answer, and is not asked for until the deadline', async () => {
  expect(await read('UNKNOWN_TOPIC_OR_PARTITION')).toMatchObject({ answer: 'UNKNOWN_TOPIC_OR_PARTITION', open: [], asked: 1 });
});

it('brokers that do not answer are asked again, and what they say then counts', async () => {
  expect(await read('NO_ANSWER', 'NO_ANSWER', [1])).toMatchObject({ answer: 'NONE', open: [{ partition: 0 }], asked: 3 });
});

it('a broker that leads no more is asked for its successor', async () => {
  const found = await read([9], [1]);
  expect(found).toMatchObject({ answer: 'NONE', forgotten: ['out'], described: ['9: 0', '1: 0'] });
});

it('a partition without a leader is said to be so, and the others are read', async () => {
  const found = await read([-1, 1]);
  expect(found).toMatchObject({ answer: 'NONE', leaderless: [{ topic: 'out', partition: 0 }], forgotten: ['out'] });
  expect(found.open.map(({ partition }) => partition)).toEqual([1]);
});
