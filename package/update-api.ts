// `npm run docs:api`: writes the API reports into docs/api, from the sources as they are.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiReports, REPORTS } from './api-reports.ts';
import { buildPackage } from './build.ts';

buildPackage();
mkdirSync(REPORTS, { recursive: true });
for (const [name, report] of apiReports(fileURLToPath(new URL('../', import.meta.url)))) writeFileSync(join(REPORTS, name), report);
