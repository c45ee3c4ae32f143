import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import type { CommandResult } from '../../../cli/command.ts';
import { runCommand } from './run-command.ts';

afterEach(() => vi.unstubAllEnvs());

/** A folder that is the whole PATH, with an `aws` that does this, in a shell. */
function pathWith(aws: string | undefined): void {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  if (aws !== undefined) {
    writeFileSync(join(folder, 'aws'), `#!/bin/sh\n${aws}\n`);
    chmodSync(join(folder, 'aws'), 0o755);
  }
  vi.stubEnv('PATH', folder);
}

async function logs(args: readonly string[], json = false): Promise<{ result: CommandResult; shown: string[] }> {
  const shown: string[] = [];
  const tools = { config: { functionPrefix: 'prod', table: 'onceflow' }, show: (line: string) => shown.push(line), json };
  return { result: await runCommand(['logs', ...args], tools), shown };
}

it('the logs of one role are what the AWS command line prints of its group', async () => {
  pathWith('echo "$@"');
  const { result, shown } = await logs(['--role', 'sink', '--since', '2h', '--follow']);
  expect(shown).toEqual(['logs tail /onceflow/prod/sink --since 2h --format short --follow']);
  expect(result).toMatchObject({ code: 0, text: '' });
});

it('the logs of all roles have the role before each line', async () => {
  pathWith('echo "$3"');
  const { shown } = await logs([]);
  expect(shown.toSorted()).toEqual([
    'coordinator  /onceflow/prod/coordinator',
    'operator     /onceflow/prod/operator',
    'sink         /onceflow/prod/sink',
    'source       /onceflow/prod/source',
  ]);
});

it('a log group that cannot be read fails the command', async () => {
  pathWith('exit 254');
  expect((await logs(['--role', 'sink'])).result).toMatchObject({ code: 1, text: '' });
});

it('where the AWS command line is not there, the log groups are named with what to run: exit code 1', async () => {
  pathWith(undefined);
  const { result } = await logs(['--role', 'source']);
  expect(result).toMatchObject({
    code: 1,
    text: expect.stringMatching(/install version 2, or look.*\n {2}aws logs tail \/onceflow\/prod\/source --since 10m/),
  });
});

it('version 1 of the AWS command line, which has no such command, is named in place of its usage', async () => {
  pathWith('echo "aws-cli/1.44.66 Python/3.11.14"');
  const { result, shown } = await logs(['--role', 'source']);
  expect(shown).toEqual([]);
  expect(result).toMatchObject({
    code: 1,
    text: expect.stringMatching(/is version 1, which has no "logs tail": install version 2, or .*\n {2}aws logs tail/),
  });
});

it('for scripts nothing is run: the groups and commands are answered', async () => {
  pathWith('echo never');
  const { result, shown } = await logs(['--role', 'source'], true);
  expect(shown).toEqual([]);
  expect(result).toMatchObject({ code: 0, json: { groups: [{ role: 'source', group: '/onceflow/prod/source' }] } });
});
