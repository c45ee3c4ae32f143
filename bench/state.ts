/** `npm run bench:state`: see USAGE. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, wholeNumber } from '../local/command.ts';
import { describeMachine, load } from './harness/machine.ts';
import type { Figures, Setting } from './state-process.ts';

const USAGE = `npm run bench:state [-- [--keys N] [--rows N] [--epochs N] [--times N] [--timers]]

State that is larger than memory, beside the same without a bound: an operator subtask counts rows by key, its snapshots included, with blobs
in a folder. Each figure is of a process of its own; times are processor time.

  --keys N     keys that have state (default 2000000)
  --rows N     rows of an epoch (default 20000)
  --epochs N   of each kind, one in twenty of which writes a base (default 60)
  --times N    so many times the bound the state is (default 5)
  --timers     each key has a timer too, which is not due: the bound is as without them`;

/** What a key of this job is taken to need: docs/state.md. */
const KEY_BYTES = 104 + 20 + 'key-1000000'.length;
const FEW_ROWS = 100;

const number = (text: string) => ({ type: 'string', default: text }) as const;
const options = {
  keys: number('2000000'),
  rows: number('20000'),
  epochs: number('60'),
  times: number('5'),
  timers: { type: 'boolean', default: false } as const,
};
await runCommand({ name: 'npm run bench:state', usage: USAGE, options }, async (given) => {
  const [keys, rows, epochs] = [
    wholeNumber('keys', given.keys, 1),
    wholeNumber('rows', given.rows, 1),
    wholeNumber('epochs', given.epochs, 1),
  ];
  const boundBytes = Math.round((keys * KEY_BYTES) / wholeNumber('times', given.times, 1));
  console.log(`${JSON.stringify(describeMachine())}, load ${load()}`);
  console.log(`${keys} keys, ${rows} rows an epoch, bound ${Math.round(boundBytes / 1e6)} MB\n`);
  console.log(
    '| | rows per second of CPU, uniform | skewed | longest epoch | memory: live, peak | first epoch of a new process: as many rows, uniform | its memory | 100 rows | its memory |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const [name, bound] of [
    ['without a bound', undefined],
    ['with the bound', boundBytes],
  ] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'onceflow-state-'));
    try {
      const setting = { folder, keys, rows, epochs, boundBytes: bound, timers: given.timers };
      const filled = await inProcess({ ...setting, what: 'fill' });
      const restarted = await inProcess({ ...setting, what: rows });
      const few = await inProcess({ ...setting, what: FEW_ROWS });
      const { uniform, skewed } = filled.rowsPerSecond;
      const restarts = [restarted, few].flatMap(({ restartMs, liveMb, peakMb }) => [
        `${Math.round(restartMs)} ms`,
        `${liveMb}, ${peakMb} MB`,
      ]);
      const cells = [
        Math.round(uniform),
        Math.round(skewed),
        `${Math.round(filled.longestMs)} ms`,
        `${filled.liveMb}, ${filled.peakMb} MB`,
        ...restarts,
      ];
      console.log(`| ${name} | ${cells.join(' | ')} |`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return 0;
});

async function inProcess(setting: Setting): Promise<Figures> {
  const child = fork(join(import.meta.dirname, 'state-process.ts'), [JSON.stringify(setting)], { execArgv: ['--expose-gc'] });
  const answered = once(child, 'message');
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${code}`);
  });
  ended.catch(() => {});
  const [figures] = (await Promise.race([answered, ended])) as [Figures];
  child.disconnect();
  await ended.catch(() => {});
  return figures;
}
