import { globSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { type Command, optionsOf } from '../../../cli/command.ts';
import { COMMANDS } from '../../../cli/commands.ts';
import { helpText } from '../../../cli/help.ts';

const files = globSync(fileURLToPath(new URL('../../../cli/commands/*.ts', import.meta.url)));

it('every file in cli/commands is a command that the table lists under the name of the file', async () => {
  const loaded = await Promise.all(files.map((file) => import(pathToFileURL(file).href) as Promise<{ default?: Command }>));
  const named = files.map((file, at) => [file.replace(/^.*\/(.*)\.ts$/, '$1'), loaded[at]?.default]);
  expect(Object.fromEntries(named)).toEqual(Object.fromEntries(COMMANDS.map((command) => [command.name, command])));
});

it('the help shows each command once, with its options, and each exit code', () => {
  const help = helpText();
  for (const command of COMMANDS) {
    const { name } = command;
    const calls = help.split('\n').filter((line) => line.startsWith(`  ${name} `));
    expect(calls).toHaveLength(1);
    for (const [option, { takes }] of Object.entries(optionsOf(command))) expect(calls[0]).toContain(`[--${option} ${takes}]`);
  }
  expect(help).toContain('9 the job runs and makes no progress');
  expect(help).toMatch(/^ {2}epochs \[--limit N\] {8}the newest epochs \(default 20\)$/m);
  expect(help).toContain('\nstop and cancel wait at most S seconds (default 120).');
});
