import { describe } from 'vitest';
import { brokerUnderTest, kafkaTransactionsContract } from '../contracts/kafka-transactions.ts';
import { transactionLogicContract } from '../contracts/transaction-logic.ts';
import { brokers } from '../support/kafka-wire.ts';

describe("a broker's transactions", () => kafkaTransactionsContract(() => brokerUnderTest(brokers())));

describe("the engine's transactions", () => transactionLogicContract(() => brokerUnderTest(brokers())));
