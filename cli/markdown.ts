import { withBlock } from '../lib/config/markdown.ts';
import type { Command } from './command.ts';
import { EXIT, EXIT_WORDS } from './exit-codes.ts';
import { callOf } from './help.ts';

/** The page with all that is known of the commands between its markers brought up to date; undefined when it has no markers. */
export function withCommands(page: string, commands: readonly Command[]): string | undefined {
  const listed = withBlock(page, { name: 'commands', script: 'docs:cli' }, commandsText(commands));
  return listed === undefined ? undefined : withBlock(listed, { name: 'exit-codes', script: 'docs:cli' }, exitCodesTable());
}

function commandsText(commands: readonly Command[]): string {
  const table = ['| command | |', '|---|---|', ...commands.map(({ name, usage }) => `| [\`${name}\`](#${name}) | ${cell(usage)} |`)];
  return [table.join('\n'), ...commands.map(commandText)].join('\n\n');
}

function commandText(command: Command): string {
  const { name, usage, more, options, examples } = command;
  const rows = Object.entries(options).map(
    ([option, { takes, help }]) => `| \`--${option}${takes === undefined ? '' : ` ${takes.replaceAll('|', '\\|')}`}\` | ${cell(help)} |`,
  );
  return [
    `### ${name}`,
    `    onceflow ${callOf(command)}`,
    `${usage[0]?.toUpperCase()}${usage.slice(1)}.`,
    ...(more === undefined ? [] : [more]),
    ...(rows.length === 0 ? [] : [['| option | |', '|---|---|', ...rows].join('\n')]),
    [
      '| example | |',
      '|---|---|',
      ...examples.map(({ call, does }) => `| \`onceflow ${call.replaceAll('|', '\\|')}\` | ${cell(does)} |`),
    ].join('\n'),
  ].join('\n\n');
}

function exitCodesTable(): string {
  const rows = Object.entries(EXIT_WORDS).map(([name, words]) => `| ${EXIT[name as keyof typeof EXIT]} | ${words} |`);
  return ['| code | meaning |', '|---|---|', ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
