import { afterAll, beforeAll, describe } from 'vitest';
import { INSTALLED } from '../../local/stack/installed.ts';
import { startKafka } from '../../local/stack/kafka.ts';
import { type Keeper, openKeeper } from '../../local/stack/kept-process.ts';
import { kafkaRequestsContract } from '../contracts/kafka-requests.ts';
import { brokerUnderTest, kafkaTransactionsContract } from '../contracts/kafka-transactions.ts';
import { transactionLogicContract } from '../contracts/transaction-logic.ts';

/** The second opinion on transactions, for this file only: every other test runs on the newer broker. */
let keeper: Keeper;
let brokers: string[];

beforeAll(async () => {
  keeper = await openKeeper();
  const settings = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500 };
  brokers = [(await startKafka(keeper, { release: INSTALLED.kafka39, settings })).bootstrap];
});

afterAll(() => keeper?.close());

describe('on a broker of Kafka 3.9', () => {
  describe('transactions', () => kafkaTransactionsContract(() => brokerUnderTest(brokers)));
  describe("the engine's transactions", () => transactionLogicContract(() => brokerUnderTest(brokers)));
  describe('requests', () => kafkaRequestsContract(() => brokers));
});
