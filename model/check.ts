/** `npm run model`: see USAGE. */
import { argumentsOf } from '../local/command.ts';
import { mutantRows, protocolRows, type Row } from './rows.ts';
import { check, type Finding, missingTools } from './spin.ts';

const USAGE = `npm run model                             checks the protocol's model, and that each rule that is taken out of it is missed
npm run model -- --quick                  the protocol to a smaller bound
npm run model -- --deep                   the protocol to the largest bound that fits into 4 GB
npm run model -- --trace NO_RECORD        one row, with the story of what went wrong`;

const options = {
  quick: { type: 'boolean', default: false },
  deep: { type: 'boolean', default: false },
  trace: { type: 'string' },
} as const;
const values = argumentsOf({ name: 'npm run model', usage: USAGE, options }, (given) => given);

const missing = await missingTools();
if (missing.length > 0) {
  console.error(`${missing.join(' and ')} not found. Install with: apt-get update && apt-get install --yes ${missing.join(' ')}`);
  process.exit(2);
}

const effort = values.quick ? 'quick' : values.deep ? 'deep' : 'usual';
const all = [...protocolRows(effort), ...mutantRows];
const rows = values.trace === undefined ? all : all.filter(({ name }) => name === values.trace);
if (rows.length === 0) {
  console.error(`there is no row ${values.trace}; there are ${all.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

/** Two cores: whichever is free takes the next. */
const waiting = [...rows];
const findings = new Map<string, Finding>();
await Promise.all(
  [0, 1].map(async () => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      const finding = await check(row);
      findings.set(row.name, finding);
      process.stderr.write(`${row.name}: ${finding.verdict}, ${finding.seconds.toFixed(1)} s\n`);
    }
  }),
);

console.log(table(rows));
if (values.trace !== undefined) for (const line of findings.get(values.trace)?.story ?? []) console.log(line);
const wrong = rows.filter((row) => !isAsExpected(row));
for (const row of wrong)
  console.error(`${row.name}: expected that it ${row.expect}. ${findings.get(row.name)?.unreached.join('\n') ?? ''}`);
console.log(`${rows.length - wrong.length} as expected, ${wrong.length} not`);
process.exitCode = wrong.length > 0 ? 1 : 0;

/** The whole protocol must also have come to every step of the model: not to its smaller bound, which is too small for some. */
function isAsExpected(row: Row): boolean {
  const finding = findings.get(row.name);
  return finding?.verdict === row.expect && (row.name !== 'protocol' || values.quick || finding.unreached.length === 0);
}

function table(of: readonly Row[]): string {
  const cells = of.map((row) => {
    const { epochs, faults, starts } = row.bound;
    const finding = findings.get(row.name);
    const without = row.expect === 'fails' || row.defines.includes(row.name) ? `without: ${row.says}` : row.says;
    return [
      without,
      `${epochs}/${faults}/${starts}`,
      String(finding?.states ?? 0),
      finding?.verdict ?? '',
      (finding?.seconds ?? 0).toFixed(1),
      finding?.violated ?? '',
    ];
  });
  const head = ['checked', 'epochs/faults/starts', 'states', 'verdict', 's', 'what broke'];
  const lines = [head, head.map(() => '---'), ...cells];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
