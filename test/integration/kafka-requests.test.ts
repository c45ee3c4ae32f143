import { describe } from 'vitest';
import { kafkaRequestsContract } from '../contracts/kafka-requests.ts';
import { brokers } from '../support/kafka-wire.ts';

describe("a broker's answers", () => kafkaRequestsContract(brokers));
