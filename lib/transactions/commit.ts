import type { Committable } from '../format/manifest.ts';
import type { KafkaAnswer } from '../ports/kafka-requests.ts';
import { pauseBeforeRetry } from '../ports/pause.ts';
import { kindOf } from './answers.ts';
import type { CommitOutcome } from './commit-outcome.ts';
import { type Look, lookAt, lookBackAt } from './look.ts';
import { isCommittedByMarker } from './marker.ts';
import { type Asking, retriedAnswer } from './retry.ts';

/**
 * The proof that an epoch was decided, without which nothing is committed. Made by `permitFor` in `lib/epoch/decide.ts`
 * from a decision that the store holds, and by nothing else; on the wire it is plain JSON.
 */
export interface CommitPermit {
  readonly epoch: number;
  readonly decisionId: string;
  readonly generation: number;
  readonly decided: true;
}

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
  committable: Committable,
  { compacted, isOld }: LookRules,
): Promise<CommitOutcome> {
  if (permit.epoch !== committable.epoch)
    throw new Error(`the permit for epoch ${permit.epoch} does not cover the committable of epoch ${committable.epoch}`);
  const answer = await retriedAnswer(asking, () => asking.kafka.endTxn(committable, true));
  const ended = kindOf(answer) === 'ok';
  if (committable.marker !== undefined) return isCommittedByMarker(asking, committable, committable.marker, answer);
  const untilMs = ended ? Math.min(asking.deadlineMs, asking.clock.elapsedMs() + ENDS_PATIENCE_MS) : 0;
  return awaitEnds(asking, committable, isOld ? lookBackAt : lookAt, compacted, untilMs, answer);
}

/** The broker answers EndTxn before it writes the ends, which takes it a few milliseconds. */
async function awaitEnds(
  asking: Asking,
  committable: Committable,
  look: typeof lookAt | typeof lookBackAt,
  compacted: ReadonlySet<string>,
  untilMs: number,
  answer: KafkaAnswer,
): Promise<CommitOutcome> {
  let { written } = committable;
  for (let pauseMs = FIRST_LOOK_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_LOOK_PAUSE_MS)) {
    const mayWait = asking.clock.elapsedMs() + pauseMs < untilMs;
    if (mayWait) await pauseBeforeRetry(asking, pauseMs);
    const open = (await look(asking, { ...committable, written }, compacted)).filter(({ fate }) => fate !== 'committed');
    if (open.length === 0) return { outcome: 'committed' };
    const isOver = open.some(({ fate }) => fate === 'aborted' || fate === 'no-evidence');
    if (isOver || !mayWait) return { outcome: 'doubtful', why: `EndTxn was answered ${answer}; ${describeLooks(open)}` };
    written = open.map(({ range }) => range);
  }
}

/** For people: what the log shows. */
export function describeLooks(looks: readonly Look[]): string {
  return looks
    .map(({ range, fate, answer }) => `${range.topic}-${range.partition} is ${fate}${fate === 'unknown' ? ` (${answer})` : ''}`)
    .join(', ');
}
