/**
 * Runs vitest with the arguments given and ends with one line, `N passed, N failed`, counted in vitest's own JSON
 * result. Exits non-zero when a test failed, when something broke outside of a test, and when nothing ran.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countTests, type JsonReport, summaryLine } from './setup/summary.ts';

const folder = await mkdtemp(join(tmpdir(), 'onceflow-test-'));
const reportFile = join(folder, 'report.json');

const vitest = spawn(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...process.argv.slice(2),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
  ],
  { stdio: 'inherit' },
);
// A signal of the terminal reaches vitest as well; this process only waits for it to have stopped the stack.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => vitest.kill('SIGTERM'));

const [exitCode] = (await once(vitest, 'exit')) as [number | null, NodeJS.Signals | null];
const report = await readFile(reportFile, 'utf8').then(
  (text) => JSON.parse(text) as JsonReport,
  () => undefined,
);
await rm(folder, { recursive: true, force: true });

const counts = countTests(report, exitCode);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
console.log(summaryLine(counts));
