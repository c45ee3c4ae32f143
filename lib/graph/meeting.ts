import type { Meeting } from '../protocol/requests.ts';
import type { Stage } from './stages.ts';

export function meetingOf(stage: Stage, stages: readonly Stage[], subtasksOf: (stage: string) => number): Meeting {
  const targets = stages.filter(({ id }) => stage.exchanges.includes(id));
  const sinks = stages.filter(({ id }) => stage.sinks.includes(id));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  // In this subtask's answer, and in the requests to those that read it.
  const fanOut = sum(targets.map(({ id }) => subtasksOf(id)));
  const fanIn = targets.map(({ inputs }) => sum(inputs.map(subtasksOf)));
  const perSink = sinks.map(({ id, inputs }) => sum(inputs.map((input) => Math.ceil(subtasksOf(input) / subtasksOf(id)))));
  return {
    exchanges: Math.max(1, fanOut, ...fanIn),
    staged: Math.max(1, sinks.length, ...perSink),
    snapshots: Math.max(1, stage.operators.length * subtasksOf(stage.id)),
  };
}
