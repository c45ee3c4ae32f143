import { kindOf } from './broker-answers.ts';
import type { Timing } from './clock.ts';
import type { KafkaAnswer } from './kafka-requests.ts';
import { growingPauses } from './pause.ts';

/** Until when, by `elapsedMs` of its clock, a request may be repeated. */
interface Until extends Timing {
  readonly deadlineMs: number;
}

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 200;
const PAUSE_GROWTH = 1.6;

/**
 * Repeats an idempotent request while its answer says `retry`, with growing, jittered pauses: 2 ms at first, because
 * CONCURRENT_TRANSACTIONS (the ends of the transaction before are being written) passes within milliseconds. Returns the
 * first other answer, or the last one when the deadline is reached.
 */
export async function retried<T extends { readonly answer: KafkaAnswer }>(asking: Until, request: () => Promise<T>): Promise<T> {
  const pauses = growingPauses(asking, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, PAUSE_GROWTH);
  for (;;) {
    const result = await request();
    if (kindOf(result.answer) !== 'retry' || asking.clock.elapsedMs() + pauses.nextMs() >= asking.deadlineMs) return result;
    await pauses.wait();
  }
}

/** The same for requests whose answer is all that they return. */
export async function retriedAnswer(asking: Until, request: () => Promise<KafkaAnswer>): Promise<KafkaAnswer> {
  return (await retried(asking, async () => ({ answer: await request() }))).answer;
}
