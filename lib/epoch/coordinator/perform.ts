import { abortPrepared, runStage } from '../attempt/ask-stages.ts';
import { commitEpoch } from '../commit/commit-epoch.ts';
import { settlePool } from '../commit/settle-pool.ts';
import { decideManifest } from '../decision/decide-manifest.ts';
import { checkHeld, type Held, recordCommitted } from '../lease/held.ts';
import type { Lease } from '../lease/hold-lease.ts';
import type { Effect, LoopEvent } from '../loop/events.ts';
import { planNext } from '../planning/plan-epoch.ts';
import type { ProgressWatch } from '../progress/progress-watch.ts';
import { type CoordinatorDeps, type JobSettings, LeftToNextError, type Tenure } from './context.ts';
import { type ChoreTools, createChoreTools, doChore } from './do-chores.ts';

/** Does what the loop decided. */
export interface Performer {
  /** Starts an effect; the promise of one that ends in an event. It rejects only with what ends the loop. */
  start(effect: Effect, tenure: Tenure): Promise<LoopEvent> | undefined;
  /** The loop is over: everything that is under way is given up. */
  end(): void;
}

/** What effects work with from the loop's begin to its end. */
interface Tools {
  readonly lease: Lease;
  readonly progress: ProgressWatch;
  readonly chores: ChoreTools;
  readonly calls: Calls;
  /** Aborted when what is not done is to be left to the next coordinator. */
  readonly leave: AbortController;
}

type Does<E extends Effect> = (held: Held<JobSettings>, effect: E, tools: Tools) => Promise<LoopEvent> | undefined;

/** How each effect is done. */
const effects: { readonly [D in Effect['do']]: Does<Extract<Effect, { readonly do: D }>> } = {
  async plan(held, ask) {
    const { deps, settings, signal } = held;
    const { ms, result: planned } = await timed(held, planNext(deps, settings, ask, signal));
    return { of: 'planned', base: ask.base, planned, ms };
  },
  async 'run-stage'(held, effect, { calls }) {
    const { stage, attempt } = effect;
    const { ms, result } = await timed(held, runStage(held, stage, effect, calls.of(attempt.decisionId).signal));
    return { of: 'stage', attempt, stage: stage.id, ms, result };
  },
  async decide(held, effect) {
    const summary = { ...effect.summary, decidedAtMs: held.deps.clock.now() };
    const { ms, result: manifest } = await timed(held, decideManifest(held, effect.manifest, summary));
    return { of: 'decided', manifest, ms };
  },
  async commit(held, { manifest }, { calls }) {
    calls.forget(manifest.decisionId);
    const { ms, result } = await timed(held, commitEpoch(held, manifest, { recorded: undefined, isOld: false }));
    return { of: 'committed', epoch: manifest.epoch, result, ms };
  },
  'end-leftovers': async (held) => ({ of: 'leftovers-ended', all: await endLeftovers(held) }),
  // The lease is kept and successors are noticed while it runs.
  async settle(held, { record }) {
    if (record === undefined) await checkHeld(held);
    else await recordCommitted(held, record);
    await settlePool(held);
    return { of: 'settled' };
  },
  chore: (held, effect, { chores }) => doChore(held, effect, chores),

  // What follows is done at once, and ends in no event.
  observe({ deps }, { event }) {
    deps.observe(event);
    return undefined;
  },
  'give-up'(_, { decisionId }, { calls }) {
    calls.giveUp(decisionId);
    return undefined;
  },
  abort(held, { attempt }) {
    abortPrepared(held, attempt);
    return undefined;
  },
  leave(_held, _, { leave }) {
    leave.abort();
    return undefined;
  },
  'lease-renewed'(_held, { atMs }, { lease }) {
    lease.renewed(atMs);
    return undefined;
  },
  'begin-progress'(_held, _, { progress }) {
    progress.begin();
    return undefined;
  },
  progress(_, { more }, { progress }) {
    progress.advance(more);
    return undefined;
  },
};

export function createPerformer(
  deps: CoordinatorDeps,
  settings: JobSettings,
  first: Tenure,
  { lease, progress }: { readonly lease: Lease; readonly progress: ProgressWatch },
): Performer {
  const leave = new AbortController();
  const calls = createCalls();
  const tools: Tools = { lease, progress, chores: createChoreTools(deps, settings, first), calls, leave };
  return {
    start(effect, tenure) {
      const perform = effects[effect.do] as Does<Effect>;
      return perform({ deps, settings, tenure, signal: leave.signal }, effect, tools);
    },
    end() {
      leave.abort();
      calls.giveUpAll();
    },
  };
}

/** The calls of attempts, by their decision: what of them is under way can be given up. */
interface Calls {
  of(decisionId: string): AbortController;
  /** The attempt is decided: its calls have been answered. */
  forget(decisionId: string): void;
  giveUp(decisionId: string): void;
  giveUpAll(): void;
}

function createCalls(): Calls {
  const calls = new Map<string, AbortController>();
  return {
    of(decisionId) {
      const known = calls.get(decisionId) ?? new AbortController();
      calls.set(decisionId, known);
      return known;
    },
    forget(decisionId) {
      calls.delete(decisionId);
    },
    giveUp(decisionId) {
      calls.get(decisionId)?.abort();
      calls.delete(decisionId);
    },
    giveUpAll() {
      for (const each of calls.values()) each.abort();
    },
  };
}

async function timed<T>({ deps: { clock } }: Held<JobSettings>, work: Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const startedMs = clock.elapsedMs();
  const result = await work;
  return { ms: clock.elapsedMs() - startedMs, result };
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
