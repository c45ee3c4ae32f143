import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../lib/config/usage-error.ts';
import { reasonOf } from '../../lib/ports/reason.ts';
import { missingPrerequisites } from '../../local/prerequisites.mjs';
import { withProgress } from '../../local/stack/progress.ts';
import { cacheFolder, makeWhole } from '../cache.ts';
import { runProgram } from '../run-program.ts';

/** Everything that it needs, exactly. Beside this file's folder also in the package. */
const REQUIREMENTS = fileURLToPath(new URL('../../local/emulator/requirements.txt', import.meta.url));
const VERSION = 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")';

/**
 * The AWS emulator in the user's cache folder, brought there by pip at the first time, with the index that is set there.
 *
 * @returns the Python that runs it
 * @throws UsageError: there is no Python, or it cannot be brought
 */
export async function installEmulator(say: (line: string) => void, cache = cacheFolder()): Promise<string> {
  const { commands, problem } = await missingPrerequisites(['python']);
  if (problem !== undefined) throw new UsageError(`the AWS emulator needs Python: ${problem}`);
  const python = commands['python'] ?? '';
  const folder = join(cache, emulatorFolder((await runProgram(python, ['-c', VERSION])).trim()));
  const own = join(folder, 'bin/python');
  if (existsSync(own)) return own;
  // One whose Python has gone.
  rmSync(folder, { recursive: true, force: true });
  try {
    await withProgress(
      `installing the AWS emulator in ${cache}, once`,
      say,
      makeWhole(folder, cache, (making) => bring(python, making)),
    );
  } catch (error) {
    throw new UsageError(`the AWS emulator cannot be installed in ${cache}: ${reasonOf(error)}; pip's own settings name another index`);
  }
  return own;
}

/** Its name in the cache: what is installed for one Python is of no use to another. @param python its version, as 3.12 */
export function emulatorFolder(python: string): string {
  return `emulator-${createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)}-python-${python}`;
}

/** It is moved afterwards: modules are found there as well, only pip's own commands are not. */
async function bring(python: string, making: string): Promise<void> {
  await runProgram(python, ['-m', 'venv', making]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];
  await runProgram(join(making, 'bin/python'), [...pip, '-r', REQUIREMENTS]);
}
