import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners } from 'kafkajs';
import { kafkaJsClient } from '../stack/kafka-js.ts';

const BATCHES_A_SECOND = 50;

export interface Loading {
  /** Lines acknowledged by the broker so far. */
  sent: number;
  readonly done: Promise<void>;
}

/** Writes the lines to the topic, spread over about `seconds`. */
export function loadLines(brokers: string, topic: string, lines: readonly string[], seconds: number): Loading {
  const loading = { sent: 0, done: Promise.resolve() };
  loading.done = load(brokers, topic, lines, Math.ceil(lines.length / (seconds * BATCHES_A_SECOND)), (count) => {
    loading.sent += count;
  });
  return loading;
}

async function load(brokers: string, topic: string, lines: readonly string[], batch: number, sent: (count: number) => void): Promise<void> {
  const kafka = kafkaJsClient('onceflow-demo', brokers);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
  await producer.connect();
  try {
    for (let at = 0; at < lines.length; at += batch) {
      const messages = lines.slice(at, at + batch).map((value, index) => ({ value, partition: (at + index) % 3 }));
      await producer.send({ topic, messages });
      sent(messages.length);
      await sleep(1000 / BATCHES_A_SECOND);
    }
  } finally {
    await producer.disconnect();
  }
}
