import type { Clock } from '../../ports/clock.ts';
import type { ResolveAnswer } from '../../protocol/answers.ts';
import type { OnMissingEvidence } from '../../protocol/requests.ts';
import type { CommitSettings } from '../coordinator/context.ts';

/** What is to be done without evidence: a person's word, of what is `missing` alone. */
export interface EvidenceRule {
  readonly onMissingEvidence: OnMissingEvidence;
  /** In the connector's words. */
  readonly missing?: string;
}

export interface RuledAnswer {
  /** Under which it was resolved. */
  readonly rule: EvidenceRule;
  readonly answer: ResolveAnswer;
}

/**
 * What of the evidence of a sink's subtasks is missing, and since when. What a person says of missing evidence counts for what has been
 * missing for as long as a commit may take, and for nothing that is missing besides: a leader that is none any more says of records, for
 * a moment, that they are not there.
 */
export class MissingEvidence {
  readonly #clock: Pick<Clock, 'elapsedMs'>;
  readonly #settings: Pick<CommitSettings, 'commitTimeoutMs' | 'onMissingEvidence'>;
  readonly #bySubtask = new Map<number, { readonly missing: string; readonly sinceMs: number }>();

  constructor(clock: Pick<Clock, 'elapsedMs'>, settings: Pick<CommitSettings, 'commitTimeoutMs' | 'onMissingEvidence'>) {
    this.#clock = clock;
    this.#settings = settings;
  }

  ruleFor(subtask: number): EvidenceRule {
    const { commitTimeoutMs, onMissingEvidence } = this.#settings;
    const found = this.#bySubtask.get(subtask);
    if (found === undefined || this.#clock.elapsedMs() - found.sinceMs < commitTimeoutMs) return { onMissingEvidence: 'stop' };
    return { onMissingEvidence, missing: found.missing };
  }

  note(subtask: number, answer: ResolveAnswer): void {
    const missing = missingIn(answer);
    if (missing === undefined) this.#bySubtask.delete(subtask);
    else if (this.#bySubtask.get(subtask)?.missing !== missing) this.#bySubtask.set(subtask, { missing, sinceMs: this.#clock.elapsedMs() });
  }

  /** Has a person said what to do, and is it too early for that? */
  isUntried({ rule, answer }: RuledAnswer): boolean {
    const missing = missingIn(answer);
    return this.#settings.onMissingEvidence !== 'stop' && missing !== undefined && missing !== rule.missing;
  }
}

/** Has a person given up all that it still needs? */
export function isGivenUp({ rule, answer }: RuledAnswer): boolean {
  return rule.onMissingEvidence === 'committed' && goneIn(answer) !== undefined && missingIn(answer) === rule.missing;
}

/** What it wrote to is not there: for a moment while brokers start, or for good. */
export function goneIn(answer: ResolveAnswer): string | undefined {
  return answer.outcome === 'unsettled' ? answer.gone : undefined;
}

function missingIn(answer: ResolveAnswer): string | undefined {
  return answer.outcome === 'unsettled' || answer.outcome === 'no-evidence' ? answer.missing : undefined;
}
