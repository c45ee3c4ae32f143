// `npm run docs:config`: writes the table of parameters into docs/configuration.md, and those of metrics into docs/operations.md and docs/observability.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { withMetricsTable, withParametersTable, withSeriesTable } from './markdown.ts';

update('docs/configuration.md', withParametersTable);
update('docs/operations.md', withMetricsTable);
update('docs/observability.md', withSeriesTable);

function update(file: string, withTable: (page: string) => string | undefined): void {
  const path = new URL(`../../${file}`, import.meta.url);
  const updated = withTable(readFileSync(path, 'utf8'));
  if (updated === undefined) {
    console.error(`${file} has no markers for its table: put them where it belongs (lib/config/markdown.ts shows them)`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, updated);
  }
}
