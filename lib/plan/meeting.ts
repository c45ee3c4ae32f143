import type { Meeting } from '../protocol/requests.ts';
import { edgesFrom, edgesTo, type PhysicalPlan, type Stage, stateNames } from './plan.ts';

export function meetingOf(stage: Stage, plan: PhysicalPlan, subtasksOf: (stage: string) => number): Meeting {
  const out = edgesFrom(plan, stage.id);
  const exchanges = out.filter(({ how }) => how !== 'sink');
  const sinks = out.filter(({ how }) => how === 'sink');
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  // In this subtask's answer, and in the requests to those that read it.
  const fanOut = sum(exchanges.map(({ to, how }) => (how === 'broadcast' ? 1 : subtasksOf(to))));
  const fanIn = exchanges.map(({ to }) => sum(edgesTo(plan, to).map(({ from }) => subtasksOf(from))));
  const perSink = sinks.map(({ to }) => sum(edgesTo(plan, to).map(({ from }) => Math.ceil(subtasksOf(from) / subtasksOf(to)))));
  const states = stage.kind === 'operator' ? stateNames(stage).length : 0;
  return {
    exchanges: Math.max(1, fanOut, ...fanIn),
    staged: Math.max(1, sinks.length, ...perSink),
    snapshots: Math.max(1, states * subtasksOf(stage.id)),
  };
}
