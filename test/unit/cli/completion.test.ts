import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../cli/commands.ts';
import { completionScript, SHELLS } from '../../../cli/completion.ts';
import { main } from '../../../cli/main.ts';
import { offered, REAL_SHELLS } from '../../support/real-shells.ts';

describe.each(REAL_SHELLS)('%s', (shell) => {
  const offers = (...words: string[]) => offered(shell, completionScript(shell, COMMANDS), words);

  it('offers every command that begins so', () => {
    expect(offers('onceflow', 'st')).toEqual(['start', 'state', 'status', 'stop']);
    expect(offers('onceflow', 'dep')).toEqual(['deploy-local']);
  });

  it('offers the options of the command, and the words of an option or an argument', () => {
    expect(offers('onceflow', 'cancel', '--')).toEqual(['--timeout', '--retention', '--job', '--json', '--help'].toSorted());
    expect(offers('onceflow', 'cancel', '--retention', '')).toEqual(['delete', 'retain']);
    expect(offers('onceflow', 'dead-letters', 're')).toEqual(['retry']);
  });

  it('finds the command behind options and their values, and leaves a name to who types it', () => {
    expect(offers('onceflow', '--job', 'clicks', 'sta')).toEqual(['start', 'state', 'status']);
    expect(offers('onceflow', '--job', 'clicks', 'cancel', '--re')).toEqual(['--retention']);
    expect(offers('onceflow', 'status', '--job', 'st')).toEqual([]);
  });
});

it('bash offers every command', () => {
  const script = completionScript('bash', COMMANDS);
  expect(offered('bash', script, ['onceflow', ''])).toEqual([...COMMANDS.map(({ name }) => name), '--help'].toSorted());
  expect(offered('bash', script, ['onceflow', '--job', 'init', 'dead-letters', 're'])).toEqual(['retry']);
});

it.each(SHELLS)('the script for %s names every command and every option', (shell) => {
  const script = completionScript(shell, COMMANDS);
  for (const { name, options } of COMMANDS) {
    expect(script).toContain(name);
    for (const option of Object.keys(options)) expect(script).toContain(shell === 'fish' ? `-l ${option} ` : `--${option}`);
  }
});

it('words that shells would take for their own are one word for them', () => {
  const tricky = { ...COMMANDS[0], name: 'x', usage: "it's [a] $HOME", options: {} } as (typeof COMMANDS)[number];
  expect(completionScript('zsh', [tricky])).toContain(`'x:it'\\''s [a] $HOME'`);
  expect(completionScript('fish', [tricky])).toContain(`-d 'it'\\''s [a] $HOME'`);
});

it.each([
  [['completion'], 'which shell? completion takes bash, zsh, fish'],
  [['completion', 'tcsh'], 'not tcsh'],
])('%j is refused with what it takes: exit code 2', async (args, message) => {
  const said: string[] = [];
  const output = { log: () => {}, error: (line: string) => said.push(line) };
  expect(await main(args, {}, output)).toBe(2);
  expect(said.join()).toContain(message);
});
