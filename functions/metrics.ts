import type { CoordinatorEvent } from '../lib/epoch/events.ts';

/**
 * The metric of an event, as a line of a function's log from which CloudWatch makes it (embedded metric format);
 * undefined for events without one. `NoProgress`, in milliseconds: for how long no epoch was decided though there is
 * something to do. Missing data mean that all is well.
 */
export function metricOf(event: CoordinatorEvent, functionName: string, nowMs: number): Record<string, unknown> | undefined {
  if (event.event !== 'no-progress') return undefined;
  return {
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [
        { Namespace: 'Onceflow', Dimensions: [['FunctionName']], Metrics: [{ Name: 'NoProgress', Unit: 'Milliseconds' }] },
      ],
    },
    FunctionName: functionName,
    NoProgress: event.forMs,
  };
}
