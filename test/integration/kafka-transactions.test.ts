import { describe } from 'vitest';
import { brokerUnderTest, kafkaTransactionsContract } from '../contracts/kafka-transactions.ts';
import { brokers } from '../support/kafka-wire.ts';

describe("a broker's transactions", () => kafkaTransactionsContract(() => brokerUnderTest(brokers())));
