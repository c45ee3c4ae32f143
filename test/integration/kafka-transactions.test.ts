import { describe } from 'vitest';
import { connectKafka } from '../../lib/kafka/connect.ts';
import { kafkaTransactionsContract } from '../contracts/kafka-transactions.ts';
import { brokers } from '../support/kafka-wire.ts';
import { newTopic, uniqueName } from '../support/topics.ts';

describe("a broker's transactions", () => {
  kafkaTransactionsContract(async () => {
    const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    const kafka = await connectKafka({ brokers: brokers(), clientId: 'contract', clock: { now: () => Date.now(), sleep } });
    return {
      kafka,
      newTopic: async () => {
        const topic = await newTopic('transactions', { partitions: 1 });
        await kafka.offsets(topic, [0], 'latest');
        return topic;
      },
      newName: () => uniqueName('transactions'),
      nowMs: () => Date.now(),
      timeoutScanMs: 500,
      sleep,
    };
  });
});
