import type { LoopState } from '../epoch/loop/state.ts';
import type { RecordFault, StageFailed, StageStale } from '../protocol/answers.ts';
import type { RecordPlace } from '../protocol/requests.ts';
import { UserCodeError } from '../records/errors.ts';
import { runEpoch } from './epochs.ts';
import type { Run } from './run.ts';

/** An epoch failed, and not at a function of a record: a record cannot be read, a timer's function threw, a blob is damaged. */
export class EpochFailedError extends Error {
  override readonly name = 'EpochFailedError';
  /** The id of the stage that failed: a uid. */
  readonly stage: string;
  /** What a deployment would do: `record`, `refused` and `fatal` stop the job, `transient` is tried again. */
  readonly kind: StageFailed['kind'] | 'stale';
  /** Where and why, if it is a record's. */
  readonly fault: RecordFault | undefined;

  constructor(stage: string, why: StageFailed | StageStale) {
    super(`stage ${stage}: ${why.outcome === 'failed' ? why.message : `it runs build ${why.build}`}`);
    this.stage = stage;
    this.kind = why.outcome === 'failed' ? why.kind : 'stale';
    this.fault = why.outcome === 'failed' ? why.fault : undefined;
  }
}

/** What a failed attempt throws. A record that a keyed operator fails at is searched for, as a coordinator does it. */
export async function errorOf(
  run: Run,
  failed: { readonly stage: string; readonly why: StageFailed | StageStale; readonly state: LoopState },
): Promise<Error> {
  const { stage, why, state } = failed;
  if (why.outcome !== 'failed' || why.kind !== 'user-code' || why.fault === undefined) return new EpochFailedError(stage, why);
  const { operator, errorClass, message, stack, record } = why.fault;
  const cause = Object.assign(new Error(message), { name: errorClass, ...(stack !== undefined && { stack }) });
  return new UserCodeError(operator, cause, record ?? (await searchFor(run, state)));
}

/** Each step halves what the record can be in; then there is one at a time. */
const MOST_ATTEMPTS = 1_000;

/** Ever smaller epochs, of which nothing is kept, until a record fails alone. Undefined: none does. */
async function searchFor(run: Run, failed: LoopState): Promise<RecordPlace | undefined> {
  let state = failed;
  for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {
    const [suspect] = state.trouble.isolation.suspects;
    if (state.trouble.isolation.alone > 0 && suspect !== undefined) {
      const { topic, partition, from: offset } = suspect;
      return { topic, partition, offset };
    }
    const outcome = await runEpoch(run, { ...state, planAtMs: 0, pausedUntilMs: 0 });
    if (outcome.outcome === 'nothing' || outcome.outcome === 'lost') return undefined;
    state = outcome.state;
  }
  return undefined;
}
