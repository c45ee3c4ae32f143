import { kindOf } from '../../ports/broker-answers.ts';
import { growingPauses } from '../../ports/pause.ts';
import { retriedAnswer } from '../../ports/retry.ts';
import { type CommitPermit, checkCovered } from '../../protocol/permit.ts';
import type { CommitOutcome } from '../connector.ts';
import type { Asking } from './asking.ts';
import type { KafkaCommittable } from './committable.ts';
import { type Look, lookAt, lookBackAt } from './look.ts';
import { isCommittedByMarker } from './marker.ts';

/** What a look depends on besides the log. */
export interface LookRules {
  /** Topics whose log is compacted. */
  readonly compacted: ReadonlySet<string>;
  /** Was it prepared before this coordinator began? Then the topic may have been made anew since. */
  readonly isOld: boolean;
}

/** A broker that takes longer to write the ends of a transaction is asked by `resolve`, whose InitProducerId waits for them. */
const ENDS_PATIENCE_MS = 2_000;
const FIRST_LOOK_PAUSE_MS = 2;
const LONGEST_LOOK_PAUSE_MS = 100;

/**
 * Commits a prepared transaction from its committable, in whichever process and however often. Committed means that the log
 * shows it as committed in every partition that it wrote (`look.ts`); what EndTxn was answered is no proof of anything.
 */
export async function commitTransaction(
  asking: Asking,
  permit: CommitPermit,
  committable: KafkaCommittable,
  { compacted, isOld }: LookRules,
): Promise<CommitOutcome> {
  checkCovered(committable, permit);
  const answer = await retriedAnswer(asking, () => asking.kafka.endTxn(committable, true));
  const ended = kindOf(answer) === 'ok';
  if (committable.marker !== undefined) return isCommittedByMarker(asking, committable, committable.marker, answer);
  const look = isOld ? lookBackAt : lookAt;
  const untilMs = ended ? Math.min(asking.deadlineMs, asking.clock.elapsedMs() + ENDS_PATIENCE_MS) : 0;
  const open = await awaitEnds(asking, committable, (of) => look(asking, of, compacted), untilMs);
  if (open.length === 0) return { outcome: 'committed' };
  return { outcome: 'doubtful', why: `EndTxn was answered ${answer}; ${describeLooks(open)}` };
}

/**
 * The broker answers EndTxn before it writes the ends, which takes it a few milliseconds: what is not committed in the log then, or
 * will not be.
 */
async function awaitEnds(
  asking: Asking,
  committable: KafkaCommittable,
  look: (of: KafkaCommittable) => Promise<readonly Look[]>,
  untilMs: number,
): Promise<readonly Look[]> {
  let { written } = committable;
  const pauses = growingPauses(asking, FIRST_LOOK_PAUSE_MS, LONGEST_LOOK_PAUSE_MS);
  for (;;) {
    const mayWait = asking.clock.elapsedMs() + pauses.nextMs() < untilMs;
    if (mayWait) await pauses.wait();
    const open = (await look({ ...committable, written })).filter(({ fate }) => fate !== 'committed');
    const isOver = open.some(({ fate }) => fate === 'aborted' || fate === 'no-evidence');
    if (open.length === 0 || isOver || !mayWait) return open;
    written = open.map(({ range }) => range);
  }
}

/** For people: what the log shows. */
export function describeLooks(looks: readonly Look[]): string {
  return looks
    .map(({ range, fate, answer }) => `${range.topic}-${range.partition} is ${fate}${fate === 'unknown' ? ` (${answer})` : ''}`)
    .join(', ');
}
