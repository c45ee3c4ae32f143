import type { StageOutcome } from '../../../../lib/epoch/attempt/attempt.ts';
import type { JobSettings } from '../../../../lib/epoch/coordinator/context.ts';
import { nextAtMs, whatIsDue } from '../../../../lib/epoch/loop/due.ts';
import type { Effect, LoopEvent } from '../../../../lib/epoch/loop/events.ts';
import { onEvent } from '../../../../lib/epoch/loop/on-event.ts';
import type { LoopRules } from '../../../../lib/epoch/loop/rules.ts';
import { firstState, type LoopState } from '../../../../lib/epoch/loop/state.ts';
import type { Planned } from '../../../../lib/epoch/planning/plan-epoch.ts';
import { firstScale } from '../../../../lib/epoch/scale/scale.ts';
import type { StageFailed } from '../../../../lib/protocol/answers.ts';
import type { Committable } from '../../../../lib/protocol/committable.ts';
import type { Parallelism } from '../../../../lib/protocol/parallelism.ts';
import { countingPlan, ROWS, STAGED } from '../../../support/counting-plan.ts';
import { decided } from '../../../support/decided.ts';

export const parent = decided({
  version: 3,
  job: 'job',
  incarnation: 'i',
  epoch: 4,
  decisionId: 'four',
  parentDecisionId: 'three',
  offsets: { lines: { in: [10] } },
  state: {},
  outputs: {},
  committables: [],
});

export const committable: Committable = {
  ...{ sink: 'write', connector: 'some', subtask: 0, epoch: 5 },
  token: { of: 'the connector alone' },
};

const rules: LoopRules = {
  build: 'b1',
  plan: countingPlan,
  parallelism: { lines: 1, count: 1, write: 1 },
  commitOffsets: false,
  checkpointIntervalMs: 100,
  epochTimeoutMs: 1_000,
  maxEpochBytes: 1_000_000_000,
  maxConcurrentEpochs: 2,
  minPauseMs: 0,
  idlePollMaxMs: 100,
  idleExitMs: undefined,
  startKind: 'explicit',
  restart: { kind: 'fixed-delay', attempts: 100, delayMs: 50 } satisfies JobSettings['restart'],
  refusalTimeoutMs: 5_000,
  tolerableFailures: 1_000,
  poisonAttempts: 3,
};

/** A loop whose effects are not done but kept: the test says what they end in. */
export function play(own: Partial<LoopRules> = {}, from: Partial<LoopState> = {}) {
  const all = { ...rules, ...own };
  const tenure = { generation: 1, incarnation: 'i', sinkFacts: {}, pool: {} };
  const scale = firstScale(all, parent, {});
  let state: LoopState = {
    ...firstState({ tenure, parent, recordedCommitted: 4, scale: { ...scale, recorded: scale.stages } }, 0, all),
    ...from,
  };
  let nowMs = 0;
  let ids = 0;
  const given = () => ({ now: { wallMs: 1_000_000 + nowMs, elapsedMs: nowMs }, random: { id: () => `d${++ids}`, fraction: () => 0.5 } });
  let pending: readonly Effect[] = [];

  function turn(): readonly Effect[] {
    const due = whatIsDue(state, given(), all);
    state = due.state;
    pending = [...pending, ...due.effects];
    const made = pending;
    pending = [];
    return made;
  }

  return {
    /** What is started now. */
    turn,
    /** What an event has started, and what is due after it. */
    on(event: LoopEvent): readonly Effect[] {
      const next = onEvent(state, event, given(), all);
      state = next.state;
      pending = next.effects;
      return turn();
    },
    pass(ms: number): readonly Effect[] {
      nowMs += ms;
      return turn();
    },
    state: () => state,
    /** From now. */
    nextInMs: () => nextAtMs(state, nowMs, all) - nowMs,
  };
}

export type Played = ReturnType<typeof play>;

/** The names of effects, of stages with the stage, without what is only told. */
export function names(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.do === 'observe' || effect.do === 'begin-progress' || effect.do === 'progress' || effect.do === 'lease-renewed') return [];
    if (effect.do === 'run-stage') return [`run ${effect.stage.id} of ${effect.attempt.epoch}`];
    return [effect.do === 'chore' ? effect.chore : effect.do];
  });
}

export function told(effects: readonly Effect[]) {
  return effects.flatMap((effect) => (effect.do === 'observe' ? [effect.event] : []));
}

export function only<D extends Effect['do']>(effects: readonly Effect[], what: D): Extract<Effect, { readonly do: D }> {
  const found = effects.filter((effect): effect is Extract<Effect, { readonly do: D }> => effect.do === what);
  if (found.length !== 1) throw new Error(`${found.length} effects are ${what}`);
  return found[0] as Extract<Effect, { readonly do: D }>;
}

/** A plan of offsets `from` to `bound`. */
export function plan(from = 10, bound = 20, parallelism: Parallelism = { lines: 1, count: 1, write: 1 }): Planned {
  const ranges = { lines: [[{ topic: 'in', partition: 0, from, bound }]] };
  return {
    outcome: 'planned',
    from: { lines: { in: [from] } },
    topicIds: { lines: { in: 'id-of-in' } },
    ranges,
    records: bound - from,
    parallelism,
    gaps: [],
  };
}

const ref = (name: string) => ({ at: 'store', name, bytes: 1 }) as const;

export const read = (next = 20): StageOutcome => ({
  outcome: 'done',
  work: {
    kind: 'source',
    subtasks: [
      {
        outcome: 'read',
        reached: [{ topic: 'in', partition: 0, next }],
        ...{ bytesIn: 100, edges: { [ROWS]: { parts: [ref('rows')], records: 10 } }, recordsIn: 10 },
      },
    ],
  },
});

export const counted = (id: string): StageOutcome => ({
  outcome: 'done',
  work: {
    kind: 'operator',
    subtasks: [
      {
        outcome: 'processed',
        snapshots: { count: { id, keyGroups: { first: 0, last: 127 }, base: undefined, deltas: [] } },
        ...{ edges: { [STAGED]: { parts: [ref('staged')], records: 10 } }, recordsIn: 10 },
      },
    ],
  },
});

export const prepared: StageOutcome = { outcome: 'done', work: { kind: 'sink', prepared: [committable] } };

export const failed = (kind: StageFailed['kind'], prepared: readonly Committable[] = []): StageOutcome => ({
  outcome: 'failed',
  why: { outcome: 'failed', kind, message: 'it broke' },
  prepared,
});

/** Plans epoch 5 (decision d1) and has its stages up to `until` done. */
export function upTo(loop: Played, until: 'planned' | 'read' | 'counted' | 'prepared', ms = 10): readonly Effect[] {
  const attempt = { epoch: 5, decisionId: 'd1' };
  loop.turn();
  let effects = loop.on({ of: 'planned', base: 'four', planned: plan() });
  if (until === 'planned') return effects;
  effects = loop.on({ of: 'stage', attempt, stage: 'lines', ms, result: read() });
  if (until === 'read') return effects;
  effects = loop.on({ of: 'stage', attempt, stage: 'count', ms, result: counted('s5') });
  if (until === 'counted') return effects;
  return loop.on({ of: 'stage', attempt, stage: 'write', ms, result: prepared });
}
