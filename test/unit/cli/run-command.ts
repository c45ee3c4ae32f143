import { readArguments } from '../../../cli/arguments.ts';
import type { CommandResult } from '../../../cli/command.ts';
import { COMMANDS } from '../../../cli/commands.ts';
import type { CommandTools } from '../../../cli/tools.ts';

/** What a command on a job answers to this call, with tools of which only these are there. */
export async function runCommand(
  call: readonly string[],
  tools: Partial<{ [Name in keyof CommandTools]: unknown }>,
): Promise<CommandResult> {
  const { command, given, values } = readArguments(COMMANDS, call);
  if (command?.on !== 'job') throw new Error(`${call.join(' ')} is no command on a job`);
  return command.run({ job: 'word-count', ...tools } as CommandTools, values(), given);
}
