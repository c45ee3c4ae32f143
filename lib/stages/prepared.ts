import { Lacks } from '../format/not-prepared.ts';
import type { Serde } from '../format/serde.ts';
import type { StageFailed } from '../protocol/answers.ts';
import { failureOf } from './common.ts';

/** Each finds something missing that was not missing before. One that lacks the same again and again must not go on without an end. */
const MOST_ATTEMPTS = 100;

/**
 * Works on an epoch when the stage's serdes are prepared; and again, as if nothing had been, when one of them came to lack something
 * meanwhile: whatever was answered then, output or failure, is of an attempt that did not know enough.
 */
export async function prepared<Answer>(
  serdes: readonly Serde<unknown>[],
  attempt: (lacks: Lacks) => Promise<Answer>,
): Promise<Answer | StageFailed> {
  try {
    await Promise.all(serdes.map((serde) => serde.prepare?.()));
    for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {
      const lacks = new Lacks();
      try {
        const answer = await attempt(lacks);
        if (!lacks.any) return answer;
      } finally {
        lacks.close();
      }
      await lacks.fetch();
    }
    throw new Error(`after ${MOST_ATTEMPTS} attempts a serde lacks something still, and says each time that it was fetched`);
  } catch (error) {
    return failureOf(error);
  }
}
