import { isPassing } from '../ports/broker-answers.ts';
import type { Clock } from '../ports/clock.ts';
import { type KafkaAnswer, KafkaProblem } from '../ports/kafka-requests.ts';
import { jittered } from '../ports/pause.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

/** Pauses between the tries of what passes within a moment: 1.3 s together. */
export function* shortPauses(): Generator<number> {
  for (let pauseMs = FIRST_PAUSE_MS; pauseMs <= LONGEST_PAUSE_MS; pauseMs *= 2) yield jittered(pauseMs, Math.random());
}

/** Does it pass within a moment? What brokers say that do not answer at all does not. */
export function passesSoon(answer: KafkaAnswer): boolean {
  return isPassing(answer) && answer !== 'NO_ANSWER';
}

/**
 * Repeats a read, never anything that changes something, while it fails in a way that passes within a moment: a leader
 * or coordinator moves, a topic was just created. Gives up after about 1.3 s. Brokers that do not answer at all are up
 * to the caller, who knows how long to wait for them.
 */
export async function repeated<T>(clock: Clock, read: () => Promise<T>): Promise<T> {
  for (const pauseMs of shortPauses()) {
    try {
      return await read();
    } catch (error) {
      const passes = error instanceof KafkaProblem && error.retriable && error.code !== 'NO_ANSWER';
      if (!passes) throw error;
    }
    await clock.sleep(pauseMs);
  }
  return read();
}
