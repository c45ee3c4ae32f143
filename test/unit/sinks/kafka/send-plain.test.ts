import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PartitionBatch, ProduceAnswer, TransactionRequests } from '../../../../lib/ports/kafka-requests.ts';
import { type Acknowledged, sendPlain } from '../../../../lib/sinks/kafka/send-staged.ts';
import type { StagedSection } from '../../../../lib/sinks/kafka/staged-output.ts';
import { encodeBatch } from '../../../simulation/models/wire.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DEADLINE_MS = 1_000;

/** A section of a batch for each value, as one upstream subtask stages it. */
function section(partition: number, values: readonly string[]): StagedSection {
  const header = { producerId: -1n, producerEpoch: -1, transactional: true, timestampMs: 0 };
  return { topic: 'out', partition, batches: Buffer.concat(values.map((value) => encodeBatch(header, [value]))) };
}

interface Brokers {
  /** Who leads each partition, as it is told when it is asked for the nth time. */
  readonly leaders: (nth: number) => readonly number[];
  readonly answerMs?: (leader: number) => number;
}

/** Brokers that append, in order, what its leader is given; what leader -1 is given comes to nobody. */
function brokers({ leaders, answerMs = () => 0 }: Brokers) {
  const log: string[] = [];
  let asked = 0;
  const kafka = {
    leaders: async () => leaders(++asked),
    forgetLeaders: () => {},
    async produce(_who: undefined, leader: number, batches: readonly PartitionBatch[]): Promise<ProduceAnswer> {
      if (leader === -1) return { answer: 'NO_ANSWER', baseOffsets: batches.map(() => -1) };
      await new Promise((resolve) => setTimeout(resolve, answerMs(leader)));
      log.push(
        ...batches.map(
          ({ partition, batch }) => `${partition}:${Buffer.from(batch.subarray(61)).toString('latin1').replaceAll(/\W/g, '')}`,
        ),
      );
      return { answer: 'NONE', baseOffsets: batches.map(() => log.length) };
    },
  } as unknown as TransactionRequests;
  const clock = { now: () => 0, elapsedMs: () => Date.now() - began, sleep: async () => {} };
  const began = Date.now();
  return {
    log,
    elapsedMs: clock.elapsedMs,
    async send(sections: readonly StagedSection[], acknowledged: Acknowledged) {
      const sending = sendPlain(
        { kafka, clock, random: { id: () => '', fraction: () => 0 }, deadlineMs: DEADLINE_MS },
        sections,
        acknowledged,
      );
      await vi.runAllTimersAsync();
      return sending;
    },
  };
}

it('of a partition whose leader is elected while its output is dealt out, no batch counts as sent before the one before it was', async () => {
  const { log, send } = brokers({ leaders: (nth) => [nth === 1 ? -1 : 2] });
  const acknowledged: Acknowledged = new Map();
  const sections = () => [section(0, ['ant']), section(0, ['bee'])];
  expect(await send(sections(), acknowledged)).toMatchObject({ sent: false, answer: 'NO_ANSWER' });
  expect(await send(sections(), acknowledged)).toBe('all');
  expect(log).toEqual(['0:ant', '0:bee']);
});

it('what goes to a slow leader stops in time, also beside a quick one', async () => {
  const values = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
  const { elapsedMs, send } = brokers({ leaders: () => [1, 2], answerMs: (leader) => (leader === 1 ? 400 : 10) });
  const acknowledged: Acknowledged = new Map();
  expect(await send([section(0, values(5)), section(1, values(200))], acknowledged)).toBe('partly');
  expect(elapsedMs()).toBeLessThanOrEqual(DEADLINE_MS);
  expect(acknowledged.get('out 0')).toBe(2);
  expect(acknowledged.get('out 1')).toBeGreaterThan(90);
});

it('whose time is over before it begins sends one request to each leader all the same: each call gets on', async () => {
  const { log, send } = brokers({ leaders: () => [1, 2] });
  await vi.advanceTimersByTimeAsync(2 * DEADLINE_MS);
  const acknowledged: Acknowledged = new Map();
  const sections = () => [section(0, ['ant', 'bee']), section(1, ['cat', 'dog'])];
  expect(await send(sections(), acknowledged)).toBe('partly');
  expect(log).toEqual(['0:ant', '1:cat']);
  expect(await send(sections(), acknowledged)).toBe('all');
  expect(log).toEqual(['0:ant', '1:cat', '0:bee', '1:dog']);
});
