import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { main } from '../../../cli/main.ts';
import { duration, tableOf } from '../../../cli/text.ts';

const COMMAND = fileURLToPath(new URL('../../../cli/onceflow.mjs', import.meta.url));
/** Makes a process take itself for an older Node; the one that it hands over to is not told. */
const OLDER = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})';

function run(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: {} }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}

async function runHere(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const code = await main(args, env, { log: (line) => stdout.push(line), error: (line) => stderr.push(line) });
  return { code, stdout: stdout.join('\n'), stderr: stderr.join('\n') };
}

describe('onceflow', () => {
  // Two processes, one after the other, on a machine that may be busy.
  it('hands over from an older Node to the one of its checkout, exit code included', { timeout: 30_000 }, async () => {
    expect(await run('--import', OLDER, COMMAND, 'status')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^onceflow: which job\? Give --job NAME/),
    });
  });

  it('shows its commands and exit codes when asked, and without a command as an error', async () => {
    const help = await runHere(['status', '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^usage: onceflow <command>[\s\S]* 3 no such job /) });
    expect(await runHere([])).toEqual({ ...help, code: 2 });
  });

  it.each([
    [['stat'], 'there is no command stat; commands are status, epochs, transactions, stop, cancel, resume'],
    [['constructor'], 'there is no command constructor'],
    [['status', 'stop'], 'unexpected stop'],
    [['status', '--timeout', '5'], 'status takes no --timeout'],
    [['stop', '--force'], "Unknown option '--force'"],
    [['epochs', '--limit', '0', '--job', 'j'], '--limit is "0": it must be a whole number from 1'],
    [['cancel', '--retention', 'keep', '--job', 'j'], '--retention is "keep": it must be retain or delete'],
  ])('refuses %j: %s', async (args, message) => {
    expect(await runHere(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('names every wrong parameter', async () => {
    const refused = await runHere(['status', '--job', 'j'], { ONCEFLOW_TABEL: 'jobs', ONCEFLOW_BROKERS: 'localhost' });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/2 values are wrong[\s\S]*ONCEFLOW_TABEL[\s\S]*ONCEFLOW_BROKERS/),
    });
  });
});

describe('texts', () => {
  it.each([
    [-5, '0 ms'],
    [999, '999 ms'],
    [59_400, '59 s'],
    [59_600, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [273_600_000, '3 d 4 h'],
  ])('%i ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('a table is as wide as its widest cells, without spaces at the ends of lines', () => {
    expect(
      tableOf(
        [{ title: 'a' }, { title: 'long', align: 'right' }, { title: '' }],
        [
          ['wide', '1', ''],
          ['x', '12345', 'z'],
        ],
      ),
    ).toBe('a      long\nwide      1\nx     12345  z');
  });
});
