import { cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../lib/config/usage-error.ts';
import { type CommandResult, plainCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

const TEMPLATE = fileURLToPath(new URL('../../templates/stream/', import.meta.url));
/** What the template calls its job, its package and its stack. */
const PLACEHOLDER = 'my-stream';

export default plainCommand({
  name: 'init',
  usage: 'a project in a new folder: a job, its test in memory, a CDK app',
  arguments: { takes: 'FOLDER', most: 1 },
  options: {},
  examples: [{ call: `init ${PLACEHOLDER}`, does: `makes the folder ${PLACEHOLDER}, whose job, package and stack are called so` }],
  run: async (_around, _values, [folder]) => init(folder),
});

/** @throws UsageError: nothing was written */
function init(named: string | undefined): CommandResult {
  if (named === undefined) throw new UsageError(`which folder? Name one: onceflow init ${PLACEHOLDER}`);
  // A path that leads back, as new/.., is told by what is there only when it is resolved.
  const folder = resolve(named);
  const name = basename(folder);
  // A job, a package and a stack may all be called so.
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
    throw new UsageError(`${name} must be a name for job, package and stack: a letter, then at most 39 of a-z 0-9 -`);
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0))
    throw new UsageError(`${named} is there already: name a new folder, or one that is empty`);
  cpSync(TEMPLATE, folder, { recursive: true });
  // Under its own name npm would leave it out of the package.
  renameSync(join(folder, 'gitignore'), join(folder, '.gitignore'));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name: file } of files) {
    const path = join(parentPath, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(PLACEHOLDER, name));
  }
  const next = [`cd ${named}`, 'npm install', 'npm test', 'npx onceflow dev'];
  return {
    code: EXIT.ok,
    json: { folder, name },
    text: `${named} has a job and its test. Next:\n\n  ${next.join('\n  ')}`,
  };
}
