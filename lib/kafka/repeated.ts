import type { Clock } from '../ports/clock.ts';
import { KafkaProblem } from '../ports/kafka-requests.ts';
import { jittered } from '../ports/pause.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

/**
 * Repeats a read, never anything that changes something, while it fails in a way that passes within a moment: a leader
 * or coordinator moves, a topic was just created. Gives up after about 1.3 s. Brokers that do not answer at all are up
 * to the caller, who knows how long to wait for them.
 */
export async function repeated<T>(clock: Clock, read: () => Promise<T>): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    try {
      return await read();
    } catch (error) {
      const passes = error instanceof KafkaProblem && error.retriable && error.code !== 'NO_ANSWER';
      if (!passes || pauseMs > LONGEST_PAUSE_MS) throw error;
    }
    await clock.sleep(jittered(pauseMs, Math.random()));
  }
}
