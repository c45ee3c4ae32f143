import type { CommandResult } from '../../cli/command.ts';
import { cancel } from '../../cli/commands/cancel.ts';
import { stop } from '../../cli/commands/stop.ts';
import type { Tools } from '../../cli/tools.ts';
import { readToolConfig } from '../../lib/config/read-config.ts';

/** What a person asks for with `npx onceflow`: `delete` is a cancel that retains nothing. */
export type Command = 'stop' | 'cancel' | 'delete';

/** The time limits of the simulated coordinators. */
export const COMMAND_CONFIG = readToolConfig({
  ONCEFLOW_LEASE_MS: '8000',
  ONCEFLOW_COMMIT_TIMEOUT_MS: '2000',
  ONCEFLOW_TRANSACTION_TIMEOUT_MS: '25000',
});

export function runCommand(command: Command, tools: Tools, signal: AbortSignal): Promise<CommandResult> {
  return command === 'stop' ? stop(tools, signal) : cancel(tools, command === 'delete' ? 'delete' : 'retain', signal);
}
