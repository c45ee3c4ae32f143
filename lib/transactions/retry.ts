import type { Timing } from '../ports/clock.ts';
import type { KafkaAnswer } from '../ports/kafka-requests.ts';
import { pauseBeforeRetry } from '../ports/pause.ts';
import { kindOf } from './answers.ts';

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 200;

/**
 * Repeats an idempotent request while its answer says `retry`, with growing, jittered pauses: 2 ms at first, because
 * CONCURRENT_TRANSACTIONS (markers of the transaction before are being written) passes within milliseconds. Returns the
 * first other answer, or the last one when `deadlineMs` is reached.
 */
export async function retried<T extends { readonly answer: KafkaAnswer }>(
  timing: Timing,
  deadlineMs: number,
  request: () => Promise<T>,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.6, LONGEST_PAUSE_MS)) {
    const result = await request();
    if (kindOf(result.answer) !== 'retry' || timing.clock.now() + pauseMs >= deadlineMs) return result;
    await pauseBeforeRetry(timing, pauseMs);
  }
}

/** The same for requests whose answer is all that they return. */
export async function retriedAnswer(timing: Timing, deadlineMs: number, request: () => Promise<KafkaAnswer>): Promise<KafkaAnswer> {
  return (await retried(timing, deadlineMs, async () => ({ answer: await request() }))).answer;
}
