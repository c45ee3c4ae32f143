import type { ConfigFault } from './fault.ts';
import { type Config, parameters, type ToolConfig } from './parameters.ts';

type Timeouts = Pick<Config, 'kafkaRequestTimeoutMs' | 'epochTimeoutMs' | 'commitTimeoutMs'>;

const LONGEST_DEFAULT_MS = 10_000;
/** A broker that is well may take so long now and then. */
const SHORTEST_DEFAULT_MS = 2_000;

/**
 * How long a broker may leave a request unanswered, in milliseconds. Who waits for it has a time of its own, in which others
 * are to be asked when this one hangs: unless it is set it is a third of that, within bounds.
 */
export function kafkaRequestTimeoutMs({ kafkaRequestTimeoutMs: set, epochTimeoutMs, commitTimeoutMs }: Timeouts): number {
  const third = Math.floor(Math.min(epochTimeoutMs, commitTimeoutMs) / 3);
  return set ?? Math.min(Math.max(third, SHORTEST_DEFAULT_MS), LONGEST_DEFAULT_MS);
}

/** As of Kafka's own client, whose `request.timeout.ms` is half of its `default.api.timeout.ms`. */
export function requestTimeoutLeavesTime({ kafkaRequestTimeoutMs: set, epochTimeoutMs, commitTimeoutMs }: ToolConfig): ConfigFault[] {
  const most = Math.floor(Math.min(epochTimeoutMs, commitTimeoutMs) / 2);
  if (set === undefined || set <= most) return [];
  const { variable: option } = parameters.kafkaRequestTimeoutMs;
  const rule = `at most ${most}, half of the shorter of ONCEFLOW_EPOCH_TIMEOUT_MS (${epochTimeoutMs}) and ONCEFLOW_COMMIT_TIMEOUT_MS (${commitTimeoutMs}): when a broker hangs there must be time to ask another`;
  return [{ option, value: `${set}`, rule, mend: 'lower it, unset it, or raise the shorter of the two' }];
}
