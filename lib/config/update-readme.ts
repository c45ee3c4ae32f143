// `npm run docs:config`: writes the table of parameters into README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { withParametersTable } from './markdown.ts';

const path = new URL('../../README.md', import.meta.url);
const updated = withParametersTable(readFileSync(path, 'utf8'));
if (updated === undefined) {
  console.error('README.md has no parameter markers: put them where the table belongs (lib/config/markdown.ts shows them)');
  process.exitCode = 1;
} else {
  writeFileSync(path, updated);
}
