import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../cli/arguments.ts';
import type { Command } from '../../../cli/command.ts';
import { COMMANDS } from '../../../cli/commands.ts';
import { callOf, commandHelp, helpText } from '../../../cli/help.ts';
import { withCommands } from '../../../cli/markdown.ts';

const files = globSync(fileURLToPath(new URL('../../../cli/commands/*.ts', import.meta.url)));

it('every file in cli/commands is a command that the table lists under the name of the file', async () => {
  const loaded = await Promise.all(files.map((file) => import(pathToFileURL(file).href) as Promise<{ default?: Command }>));
  const named = files.map((file, at) => [file.replace(/^.*\/(.*)\.ts$/, '$1'), loaded[at]?.default]);
  expect(Object.fromEntries(named)).toEqual(Object.fromEntries(COMMANDS.map((command) => [command.name, command])));
});

it('the help shows each command once, and each exit code', () => {
  const help = helpText(COMMANDS);
  for (const { name, usage } of COMMANDS) {
    const shown = help.split('\n').filter((line) => line.startsWith(`  ${name} `));
    expect(shown).toEqual([expect.stringContaining(usage)]);
  }
  expect(help).toContain('9 the job runs and makes no progress');
});

describe.each(COMMANDS.map((command) => [command.name, command] as const))('the help of %s', (name, command) => {
  const help = commandHelp(command);

  it('shows its call, its options and what every command takes', () => {
    expect(help).toMatch(new RegExp(`^usage: onceflow ${name}`));
    for (const [option, { takes, help: words }] of Object.entries(command.options)) {
      const line = help.split('\n').find((each) => each.startsWith(`  --${takes === undefined ? option : `${option} ${takes}`} `));
      expect(line).toContain(words);
    }
    expect(help).toContain('\n  --json ');
    expect(help.includes('\n  --job NAME')).toBe(command.on === 'job');
  });

  it('has examples, and each is a call that the command takes', () => {
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { call } of command.examples) {
      const read = readArguments(COMMANDS, call.split(' '));
      expect(read.command?.name).toBe(name);
      expect(() => read.values()).not.toThrow();
      expect(help).toContain(`\n  onceflow ${call}\n`);
    }
  });
});

it('options of the same name are of the same kind in all commands: they are read before the command is known', () => {
  const kinds = new Map<string, boolean>();
  for (const { options } of COMMANDS)
    for (const [name, { takes }] of Object.entries(options)) {
      expect(kinds.get(name) ?? takes === undefined, `--${name}`).toBe(takes === undefined);
      kinds.set(name, takes === undefined);
    }
});

it('a call names what stands behind the command, and its options', () => {
  const cancel = COMMANDS.find(({ name }) => name === 'cancel') as Command;
  expect(callOf(cancel)).toBe('cancel [--timeout S] [--retention retain|delete]');
  const init = COMMANDS.find(({ name }) => name === 'init') as Command;
  expect(callOf(init)).toBe('init FOLDER');
});

it('docs/cli.md says of the commands what they say of themselves: run npm run docs:cli', () => {
  const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  expect(withCommands(page, COMMANDS)).toBe(page);
});
