import { edgesTo, type PhysicalPlan, type Stage } from '../../plan/plan.ts';
import type { Attempt } from './attempt.ts';

/** What may start now. */
export type Step =
  | { readonly do: 'plan' }
  | { readonly do: 'run'; readonly epoch: number; readonly stage: string }
  | { readonly do: 'decide'; readonly epoch: number }
  | { readonly do: 'commit'; readonly epoch: number };

export type AttemptView = Pick<Attempt, 'epoch' | 'phase' | 'stages'>;

export interface WavefrontFacts {
  readonly plan: Pick<PhysicalPlan, 'stages' | 'edges'>;
  /** Planned and not COMMITTED, oldest first. */
  readonly inFlight: readonly AttemptView[];
  readonly maxConcurrentEpochs: number;
  /** Time for the next plan has come, no plan is being made, and the job is not stopping. */
  readonly mayPlan: boolean;
}

/**
 * Which steps may start (docs/protocol.md): a stage runs epoch N+1 as soon as the stages before it have
 * finished N+1 and it has finished N itself. The sink stage is serial: it starts N+1 only when N is COMMITTED, which
 * spares all other rules about the order of prepared transactions. Decisions and commits are strictly in epoch order.
 */
export function nextSteps(facts: WavefrontFacts): Step[] {
  const steps: Step[] = [];
  const { plan } = facts;
  facts.inFlight.forEach((attempt, index) => {
    const previous = facts.inFlight[index - 1];
    const { epoch, phase } = attempt;
    if (phase === 'working') {
      for (const stage of plan.stages) if (mayRun(stage, plan, attempt, previous)) steps.push({ do: 'run', epoch, stage: stage.id });
      const prepared = plan.stages.every((stage) => attempt.stages.get(stage.id) === 'done');
      if (prepared && previous === undefined) steps.push({ do: 'decide', epoch });
    }
    if (phase === 'decided' && previous === undefined) steps.push({ do: 'commit', epoch });
  });
  const newest = facts.inFlight.at(-1);
  const sourcesRead = plan.stages.every(
    (stage) => stage.kind !== 'source' || newest === undefined || newest.stages.get(stage.id) === 'done',
  );
  if (facts.mayPlan && sourcesRead && facts.inFlight.length < facts.maxConcurrentEpochs) steps.push({ do: 'plan' });
  return steps;
}

function mayRun(stage: Stage, plan: Pick<PhysicalPlan, 'edges'>, attempt: AttemptView, previous: AttemptView | undefined): boolean {
  if (attempt.stages.get(stage.id) !== 'waiting') return false;
  if (edgesTo(plan, stage.id).some(({ from }) => attempt.stages.get(from) !== 'done')) return false;
  return stage.kind === 'sink' ? previous === undefined : previous === undefined || previous.stages.get(stage.id) === 'done';
}
