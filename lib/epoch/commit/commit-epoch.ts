import { ofName } from '../../config/by-name.ts';
import type { SentAgain } from '../../ports/epoch-store.ts';
import { growingPauses } from '../../ports/pause.ts';
import type { ResolveAnswer } from '../../protocol/answers.ts';
import type { Committable } from '../../protocol/committable.ts';
import type { CommitPermit, DecidedManifest } from '../../protocol/permit.ts';
import { permitFor } from '../../protocol/permit.ts';
import type { Own } from '../../protocol/shape.ts';
import type { PreparedCoordination } from '../../sinks/connector.ts';
import { abortPrepared, problemOf } from '../attempt/ask-stages.ts';
import { callStage } from '../attempt/call-stage.ts';
import { connectorNamed, JobFailedError, LeftToNextError, SupersededError } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { checkHeld, type Held } from '../lease/held.ts';
import { portionsOf } from '../planning/portions.ts';
import { committablesBySink, describeCommittable } from './committables.ts';
import { deliverSink } from './deliver-epoch.ts';
import { type EvidenceRule, goneIn, isGivenUp, MissingEvidence, type RuledAnswer } from './missing-evidence.ts';
import { type NewestCommittables, newestCommittables } from './newest-committables.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2_000;

export interface CommitResult {
  /** Committables that were sent again. */
  readonly republished: number;
  /** Was output sent by this commit, that was not prepared before it? */
  readonly delivers: boolean;
}

/** What cannot be seen to be committed. `refusal`: what the commit was answered that only a person can mend. */
interface Doubt {
  readonly of: Committable;
  readonly refusal?: string;
}

/** What resolving it has come to. */
type Resolved = Doubt & RuledAnswer;

/** What one sink has prepared in a decided epoch, while it is being committed. */
interface Commit extends Held {
  readonly manifest: DecidedManifest;
  readonly permit: CommitPermit;
  readonly sink: string;
  readonly connector: PreparedCoordination;
  readonly newest: NewestCommittables;
  readonly terms: Own;
  /** Was it decided before this coordinator began? */
  readonly isOld: boolean;
}

/**
 * Commits a decided epoch, by the connectors by which it was decided: until each of them sees all of it as committed, or as
 * delivered. There is no way back from a decision, so it goes on until that is reached, or until another coordinator takes over or
 * it is left to one. `recorded`: what the job row says was sent again; `isOld`: it was decided before this coordinator began.
 * Throws `SupersededError`, or `JobFailedError` when a person has to decide.
 */
export async function commitEpoch(
  held: Held,
  manifest: DecidedManifest,
  { recorded, isOld }: { readonly recorded: SentAgain | undefined; readonly isOld: boolean },
): Promise<CommitResult> {
  const permit = permitFor(manifest, held.tenure.generation);
  const newest = await newestCommittables(held, manifest, recorded);
  // By the manifest, not by this run's stages: a sink may be gone since, that of dead letters for instance.
  const sinks = committablesBySink(manifest.committables).map(({ sink, connector }) => ({
    sink,
    connector: connectorNamed(held.deps, connector),
    own: newest.of(sink, connector),
  }));
  const results = await Promise.all(
    sinks.map(async ({ sink, connector, own }) => {
      if (connector.how === 'delivered') {
        await deliverSink(held, manifest, permit, own);
        return 0;
      }
      const what = `asking what the commit of sink ${sink} has to know`;
      const terms = await untilAnswered(held.deps, what, () => connector.commitTerms(own, held.tenure.sinkFacts), held.signal);
      return commitSink({ ...held, manifest, permit, sink, connector, newest, terms, isOld });
    }),
  );
  const republished = results.reduce((sum, count) => sum + count, 0);
  return { republished, delivers: sinks.some(({ connector }) => connector.how === 'delivered') };
}

async function commitSink(commit: Commit): Promise<number> {
  const { deps, settings, manifest, connector, signal } = commit;
  const open = new Set(ownOf(commit).map(({ subtask }) => subtask));
  let republished = 0;
  /** Since when every round has had an answer that only a person can mend. */
  let neededSinceMs: number | undefined;
  const missing = new MissingEvidence(deps.clock, settings);
  const pauses = growingPauses(deps, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  for (;;) {
    const portions = portionsOf(ownOf(commit).filter(({ subtask }) => open.has(subtask)));
    const doubtful = (await Promise.all(portions.map((portion) => sendCommits(commit, portion)))).flat();
    open.clear();
    if (doubtful.length === 0) return republished;
    // Only the holder of the generation may resolve: a resolver fences, and would otherwise fence its successor.
    await checkHeld(commit);
    // One such answer may be of a leader that is none any more, or of a function of another build: it counts when it lasts.
    const hasLasted = neededSinceMs !== undefined && deps.clock.elapsedMs() - neededSinceMs >= settings.commitTimeoutMs;
    const answers = await Promise.all(
      doubtful.map(async (doubt) => {
        const rule = missing.ruleFor(doubt.of.subtask);
        return { ...doubt, rule, answer: await resolveOne(commit, doubt.of, rule) };
      }),
    );
    for (const { of, answer } of answers) missing.note(of.subtask, answer);
    const sentAgain = await recordSentAgain(
      commit,
      answers.flatMap(({ answer }) => (answer.outcome === 'sent-again' ? [answer.committable] : [])),
    );
    republished += sentAgain.length;
    for (const { of, refusal, answer } of answers) {
      deps.observe({ event: 'doubtful', epoch: of.epoch, names: connector.namesOf(of), resolution: describe(answer, refusal) });
    }
    const needs = answers.filter((each) => !isGivenUp(each) && needOfPerson(each).length > 0);
    neededSinceMs = needs.length === 0 ? undefined : (neededSinceMs ?? deps.clock.elapsedMs());
    // What a person has said of missing evidence is tried before the job stops for it.
    const [stuck] = hasLasted ? needs.filter((each) => !missing.isUntried(each)).flatMap(needOfPerson) : [];
    if (stuck !== undefined) {
      // A resolver that another coordinator's overtook sees what that one did, and no reason to stop the job.
      await checkHeld(commit);
      throw new JobFailedError(stuck);
    }
    for (const each of answers) if (each.answer.outcome !== 'committed' && !isGivenUp(each)) open.add(each.of.subtask);
    if (open.size === 0) return republished;
    if (signal.aborted)
      throw new LeftToNextError(`the commit of epoch ${manifest.epoch} is left to the next coordinator: this one was told to end`);
    // What was sent again is committed at once, the first time; what is not settled, or was lost once more, after a pause.
    if (sentAgain.length === open.size && republished === sentAgain.length) continue;
    await pauses.wait(signal);
    await checkHeld(commit);
  }
}

/** The newest of the sink's. */
function ownOf({ newest, sink, connector }: Commit): readonly Committable[] {
  return newest.of(sink, connector.connector);
}

/**
 * What was sent again is a decision of its own: checked as what is prepared for an epoch is, then recorded, and only then
 * committed. Answers what was recorded; the rest is aborted, and resolved again.
 */
async function recordSentAgain(commit: Commit, sentAgain: readonly Committable[]): Promise<readonly Committable[]> {
  const { deps, settings, manifest, connector, newest } = commit;
  if (sentAgain.length === 0) return [];
  const giveUp = () => abortPrepared(commit, { ...manifest, committables: sentAgain });
  try {
    const problem = await problemOf(deps, connector, sentAgain, settings.commitTimeoutMs);
    if (problem === undefined) {
      await newest.record(sentAgain);
      return sentAgain;
    }
    deps.observe({ event: 'warning', message: `epoch ${manifest.epoch} is sent again once more: ${problem.message}` });
    giveUp();
    return [];
  } catch (error) {
    if (error instanceof SupersededError) giveUp();
    throw error;
  }
}

/**
 * Has the sink function commit. Returns the committables that are in doubt. A call without an answer is repeated (a commit may
 * be sent twice); when none comes in time all of them are in doubt.
 */
async function sendCommits(commit: Commit, committables: readonly Committable[]): Promise<readonly Doubt[]> {
  const { deps, settings, manifest, permit, sink, terms, isOld, signal } = commit;
  const { connector } = commit.connector;
  const deadlineMs = deps.clock.elapsedMs() + settings.commitTimeoutMs;
  const pauses = growingPauses(deps, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  for (;;) {
    const ask = { ask: 'commit', connector, permit, committables, terms, isOld } as const;
    const timeoutMs = deadlineMs - deps.clock.elapsedMs();
    const answer = await callStage<'commit'>(commit, { of: manifest, role: 'sink', stage: sink, subtask: 0, ask, timeoutMs }, signal);
    if (answer.outcome === 'committed')
      return answer.doubtful.flatMap(({ subtask, why, refused }) => {
        const of = committables.find((one) => one.subtask === subtask);
        return of === undefined ? [] : [{ of, ...(refused === true && { refusal: why }) }];
      });
    if (answer.kind === 'fatal') throw new JobFailedError(`commit of epoch ${manifest.epoch}: ${answer.message}`);
    deps.observe({ event: 'warning', message: `commit of epoch ${manifest.epoch}: ${answer.message}` });
    if (signal.aborted || deps.clock.elapsedMs() + pauses.nextMs() >= deadlineMs) return committables.map((of) => ({ of }));
    await pauses.wait(signal);
  }
}

async function resolveOne(commit: Commit, committable: Committable, rule: EvidenceRule): Promise<ResolveAnswer> {
  const { settings, manifest, permit, terms, signal } = commit;
  const { connector } = commit.connector;
  const { sink, subtask } = committable;
  const staged = ofName(manifest.outputs, sink)?.[subtask] ?? [];
  const ask = { ask: 'resolve', connector, permit, committable, terms, staged, ...rule } as const;
  // It may send the epoch's output again, for which there is as much time as for the first send.
  const timeoutMs = settings.epochTimeoutMs;
  const answer = await callStage<'resolve'>(commit, { of: manifest, role: 'sink', stage: sink, subtask, ask, timeoutMs }, signal);
  const [expected, found] = [committable, answer.outcome === 'sent-again' ? answer.committable : committable].map(describeCommittable);
  if (found === expected) return answer;
  return { outcome: 'failed', kind: 'transient', message: `${expected} was to be resolved, and ${found} was sent again` };
}

/** Why a person has to act, if this lasts. What is prepared still, and whose commit is refused, nobody else will commit. */
function needOfPerson({ answer, refusal }: Resolved): string[] {
  const gone = goneIn(answer);
  if (gone !== undefined) return [gone];
  if (answer.outcome === 'unsettled' && refusal !== undefined) return [refusal];
  return answer.outcome === 'no-evidence' || (answer.outcome === 'failed' && (answer.kind === 'fatal' || answer.kind === 'refused'))
    ? [answer.message]
    : [];
}

function describe(answer: ResolveAnswer, refusal: string | undefined): string {
  if (answer.outcome === 'sent-again') return 'republished';
  const why = refusal === undefined ? '' : `; the commit was refused: ${refusal}`;
  return 'message' in answer ? `${answer.outcome}: ${answer.message}${why}` : answer.outcome;
}
