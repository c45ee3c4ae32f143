import type { ChoreResult, Effect, LoopEvent } from '../loop/events.ts';
import { abortPrepared, runStage } from '../attempt/ask-stages.ts';
import { collectGarbage } from '../garbage/collect.ts';
import { commitEpoch } from '../commit/commit-epoch.ts';
import { type CoordinatorDeps, type JobSettings, LeftToNextError, SupersededError, type Tenure } from './context.ts';
import { decideManifest } from '../decision/decide-manifest.ts';
import { createRowExpiry } from '../garbage/expire-rows.ts';
import { commitGroupOffsets } from '../progress/group-offsets.ts';
import { checkHeld, type Held, recordCommitted } from '../lease/held.ts';
import type { Lease } from '../lease/hold-lease.ts';
import { lookForHeldUp } from '../planning/look-for-held-up.ts';
import { planNext } from '../planning/plan-epoch.ts';
import type { ProgressWatch } from '../progress/progress-watch.ts';
import { learnSinks } from '../commit/run-sinks.ts';
import { settlePool } from '../commit/settle-pool.ts';
import { createOpenWatch } from '../progress/watch-open.ts';

/** Does what the loop decided. */
export interface Performer {
  /** Starts an effect; the promise of one that ends in an event. It rejects only with what ends the loop. */
  start(effect: Effect, tenure: Tenure): Promise<LoopEvent> | undefined;
  /** The loop is over: everything that is under way is given up. */
  end(): void;
}

/** Effects that take time: each ends in an event. The others are done at once. */
type Lasting = Exclude<
  Effect,
  { readonly do: 'observe' | 'give-up' | 'abort' | 'leave' | 'lease-renewed' | 'begin-progress' | 'progress' }
>;

export function createPerformer(
  deps: CoordinatorDeps,
  settings: JobSettings,
  first: Tenure,
  { lease, progress }: { readonly lease: Lease; readonly progress: ProgressWatch },
): Performer {
  const { clock } = deps;
  const rows = createRowExpiry(deps, settings.job, first.incarnation);
  const openWatch = createOpenWatch(deps, settings, first);
  const leave = new AbortController();
  /** By decision: the calls of its attempt. */
  const calls = new Map<string, AbortController>();

  function callsOf(decisionId: string): AbortController {
    const known = calls.get(decisionId) ?? new AbortController();
    calls.set(decisionId, known);
    return known;
  }

  async function timed<T>(work: Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
    const startedMs = clock.elapsedMs();
    const result = await work;
    return { ms: clock.elapsedMs() - startedMs, result };
  }

  async function asksToStop({ tenure: { generation } }: Held<JobSettings>): Promise<boolean> {
    const row = await deps.epochs.readJob(settings.job);
    if (row?.generation !== generation)
      throw new SupersededError(`generation ${row?.generation} (${row?.holder}) has taken over job ${settings.job}`);
    return row.desired === 'stopped';
  }

  async function work(effect: Extract<Effect, { readonly do: 'chore' }>, held: Held<JobSettings>): Promise<ChoreResult> {
    switch (effect.chore) {
      case 'read-control':
        return { outcome: 'read-control', asksToStop: await asksToStop(held) };
      case 'collect':
        await collectGarbage(held, rows);
        return { outcome: 'done' };
      case 'look-for-open':
        return { outcome: 'looked-for-open', found: await openWatch.look() };
      case 'look-for-held-up':
        await lookForHeldUp(deps, settings);
        return { outcome: 'done' };
      case 'sink-facts':
        return { outcome: 'sink-facts', sinkFacts: await learnSinks(deps, settings) };
      case 'record-commit':
        await recordCommitted(held, effect.epoch);
        return { outcome: 'recorded-commit', epoch: effect.epoch };
      case 'group-offsets': {
        const { manifest } = effect;
        return { outcome: 'group-offsets', epoch: manifest.epoch, refused: await commitGroupOffsets(deps, settings, manifest) };
      }
    }
  }

  /** A chore that fails ends nothing, unless it found that another coordinator holds the job. */
  async function keepHouse(effect: Extract<Effect, { readonly do: 'chore' }>, held: Held<JobSettings>): Promise<LoopEvent> {
    const { chore } = effect;
    try {
      return { of: 'chore', chore, result: await work(effect, held) };
    } catch (error) {
      if (error instanceof SupersededError) throw error;
      return { of: 'chore', chore, result: { outcome: 'failed', message: error instanceof Error ? error.message : String(error) } };
    }
  }

  /**
   * No epoch is in flight, and none is planned meanwhile: what sinks have open is nobody's. What cannot be ended now the next looks
   * find again: epochs do not wait for a broker that they may not need. Was everything ended?
   */
  async function endLeftovers(held: Held<JobSettings>): Promise<boolean> {
    await checkHeld(held);
    try {
      await settlePool(held, { once: true });
      return true;
    } catch (error) {
      if (!(error instanceof LeftToNextError) || held.signal.aborted) throw error;
      return false;
    }
  }

  async function run(effect: Lasting, held: Held<JobSettings>): Promise<LoopEvent> {
    switch (effect.do) {
      case 'plan': {
        const planned = await planNext(deps, settings, effect.before, effect.isOverdue, leave.signal);
        return { of: 'planned', base: effect.base, planned };
      }
      case 'run-stage': {
        const { stage, attempt } = effect;
        const { signal } = callsOf(attempt.decisionId);
        const { ms, result } = await timed(runStage(held, stage, effect, signal));
        return { of: 'stage', attempt, stage: stage.id, ms, result };
      }
      case 'decide': {
        const summary = { ...effect.summary, decidedAtMs: clock.now() };
        const { ms, result: manifest } = await timed(decideManifest(held, effect.manifest, summary));
        return { of: 'decided', manifest, ms };
      }
      case 'commit': {
        const { manifest } = effect;
        calls.delete(manifest.decisionId);
        const { ms, result } = await timed(commitEpoch(held, manifest, { recorded: undefined, isOld: false }));
        return { of: 'committed', epoch: manifest.epoch, result, ms };
      }
      case 'end-leftovers':
        return { of: 'leftovers-ended', all: await endLeftovers(held) };
      // The lease is kept and successors are noticed while it runs.
      case 'settle':
        if (effect.record === undefined) await checkHeld(held);
        else await recordCommitted(held, effect.record);
        await settlePool(held);
        return { of: 'settled' };
      case 'chore':
        return keepHouse(effect, held);
    }
  }

  return {
    start(effect, tenure) {
      switch (effect.do) {
        case 'observe':
          deps.observe(effect.event);
          return undefined;
        case 'give-up':
          calls.get(effect.decisionId)?.abort();
          calls.delete(effect.decisionId);
          return undefined;
        case 'abort':
          abortPrepared({ deps, settings, tenure }, effect.attempt);
          return undefined;
        case 'leave':
          leave.abort();
          return undefined;
        case 'lease-renewed':
          lease.renewed();
          return undefined;
        case 'begin-progress':
          progress.begin();
          return undefined;
        case 'progress':
          progress.advance(effect.more);
          return undefined;
        default:
          return run(effect, { deps, settings, tenure, signal: leave.signal });
      }
    },
    end() {
      leave.abort();
      for (const each of calls.values()) each.abort();
    },
  };
}
