import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { Suite } from './campaign.ts';
import { equivalent } from './equivalent.ts';

const cwd = join(import.meta.dirname, '../..');
const filesOf = (pattern: string) => globSync(pattern, { cwd }).toSorted();

/** The protocol and all that watches it without a stack. */
export const engine: Suite = {
  sources: filesOf('lib/{epoch,sinks,stages}/**/*.ts'),
  tests: {
    // The other folders of test/unit do not come near the protocol; costs counts bytes, in a process of its own.
    unit: filesOf('test/unit/{api,cli,epoch,functions,operators,protocol,sinks,stages}/**/*.test.ts').filter(
      (file) => !file.includes('/costs/'),
    ),
    story: filesOf('test/simulation/{scenarios/*,operations,requests}.test.ts'),
  },
  seeds: 500,
  equivalent,
};
