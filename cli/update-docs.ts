// `npm run docs:cli`: writes what the commands say of themselves into docs/cli.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { COMMANDS } from './commands.ts';
import { withCommands } from './markdown.ts';

const page = new URL('../docs/cli.md', import.meta.url);
const updated = withCommands(readFileSync(page, 'utf8'), COMMANDS);
if (updated === undefined) throw new Error('docs/cli.md has no markers for its commands: put them where they belong (cli/markdown.ts)');
writeFileSync(page, updated);
