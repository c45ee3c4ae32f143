/** `npm run docs:speed`: see USAGE. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from '../../lib/config/usage-error.ts';
import { runCommand } from '../../local/command.ts';
import { readResults } from '../harness/results.ts';
import { speedDrawing } from './drawing.ts';
import { measuredAgain, readSpeed, SPEED_FILE } from './speed.ts';
import { withSpeedTable } from './table.ts';

const USAGE = `npm run docs:speed [-- RESULTS]

Makes the table of docs/speed.md and docs/speed.svg from docs/speed.json. With a file of runs (npm run bench -- --results RESULTS,
bench/targets.sh) their figures go into docs/speed.json first.`;

await runCommand({ name: 'npm run docs:speed', usage: USAGE, options: {}, positionals: true }, async (_, [results]) => {
  if (results !== undefined && !existsSync(results)) throw new UsageError(`there is no file ${results}`);
  const speed = results === undefined ? readSpeed() : measuredAgain(readSpeed(), readResults(results));
  const page = new URL('../../docs/speed.md', import.meta.url);
  const updated = withSpeedTable(readFileSync(page, 'utf8'), speed);
  if (updated === undefined)
    throw new Error('docs/speed.md has no markers for its table of speed: put them where it belongs (bench/speed/table.ts shows them)');
  writeFileSync(SPEED_FILE, `${JSON.stringify(speed, undefined, 2)}\n`);
  writeFileSync(page, updated);
  writeFileSync(new URL('../../docs/speed.svg', import.meta.url), speedDrawing(speed));
  return 0;
});
