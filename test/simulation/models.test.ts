import { describe } from 'vitest';
import { blobStoreContract } from '../contracts/blob-store.ts';
import { epochStoreContract } from '../contracts/epoch-store.ts';
import { jobRemovalContract } from '../contracts/job-removal.ts';
import { type KafkaUnderTest, kafkaTransactionsContract } from '../contracts/kafka-transactions.ts';
import { savepointStoreContract } from '../contracts/savepoint-store.ts';
import { transactionLogicContract } from '../contracts/transaction-logic.ts';
import { Dice } from './kernel/dice.ts';
import { BlobBucket, modelBlobStore } from './models/blob-bucket.ts';
import { modelEpochStore, modelJobRemoval } from './models/epoch-store.ts';
import { EpochTable } from './models/epoch-table.ts';
import { Broker } from './models/kafka-broker.ts';
import { type Carry, modelKafka } from './models/kafka-requests.ts';

/** Carries every request out at once. */
const dice = new Dice(1);
const carry: Carry = async (_api, _about, _failure, execute) => execute(dice);

async function modelUnderTest(): Promise<KafkaUnderTest> {
  // Time passes where the contract sleeps, and nowhere else.
  let nowMs = 1_000;
  let due: { readonly atMs: number; readonly run: () => void }[] = [];
  const broker = new Broker({
    nowMs: () => nowMs,
    later: (delayMs, run) => due.push({ atMs: nowMs + delayMs, run }),
    markerDelayMs: () => dice.between(1, 12),
    shuffled: (items) => dice.shuffled(items),
    timeoutScanMs: 500,
  });
  let names = 0;
  const newName = () => `name-${names++}`;
  return {
    kafka: modelKafka(broker, carry, { broker: new Map(), topic: new Map(), nowMs: () => nowMs }),
    newTopic: async (partitions = 1) => {
      const topic = newName();
      broker.createTopic(topic, partitions);
      return topic;
    },
    newName,
    nowMs: () => nowMs,
    timeoutScanMs: 500,
    sleep: async (ms) => {
      const untilMs = nowMs + ms;
      for (;;) {
        const next = due.filter(({ atMs }) => atMs <= untilMs).sort((left, right) => left.atMs - right.atMs)[0];
        if (next === undefined) break;
        due = due.filter((each) => each !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = untilMs;
    },
  };
}

describe("the model of Kafka's transactions", () => kafkaTransactionsContract(modelUnderTest));

describe("the engine's transactions on the model", () => transactionLogicContract(modelUnderTest));

describe('the model of the table', () => {
  epochStoreContract(async () => modelEpochStore(new EpochTable(() => 0), carry));

  describe('savepoints', () => {
    const table = new EpochTable(() => 0);
    savepointStoreContract(async () => modelEpochStore(table, carry));
  });

  describe('the removal of a job', () => {
    jobRemovalContract(async () => {
      const table = new EpochTable(() => 0);
      return { store: modelEpochStore(table, carry), another: modelEpochStore(table, carry), removal: modelJobRemoval(table, carry) };
    });
  });
});

describe('the model of the bucket', () => {
  blobStoreContract(async () => modelBlobStore(new BlobBucket(() => Date.now()), carry));
});
