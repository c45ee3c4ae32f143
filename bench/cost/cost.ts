/** `npm run cost`: see USAGE. */
import { UsageError } from '../../lib/config/usage-error.ts';
import { runCommand } from '../../local/command.ts';
import { asProcesses, epochDollars, idleBills, managedFlink, monthlyBill, total } from './bill.ts';
import { type Job, operationsOfEpoch } from './operations.ts';
import { withPrices } from './prices.ts';

const BYTES_PER_CHANGED_KEY = 30;
const number = (fallback: string) => ({ type: 'string', default: fallback }) as const;

const USAGE = `npm run cost -- --records-per-second N --record-bytes N [flags]

What a month costs on AWS, and an epoch, and an idle month, beside Managed Flink. Kafka, data transfer, a VPC's NAT and support are not in it.

  --interval-ms 1000  --parallelism 1  --state-mb 10  --changed-keys 1000  --inline-blob-bytes 16384
  --architecture arm64|x86_64  --function-memory-mb 1769  --coordinator-memory-mb 512
  --price name=dollars    another price than the list's (bench/cost/prices.ts); may be repeated`;

const OPTIONS = {
  'records-per-second': { type: 'string' },
  'record-bytes': { type: 'string' },
  'interval-ms': number('1000'),
  parallelism: number('1'),
  'state-mb': number('10'),
  'changed-keys': number('1000'),
  'inline-blob-bytes': number('16384'),
  architecture: { type: 'string', default: 'arm64' },
  'function-memory-mb': number('1769'),
  'coordinator-memory-mb': number('512'),
  price: { type: 'string', multiple: true },
} as const;

await runCommand({ name: 'npm run cost', usage: USAGE, options: OPTIONS }, async (values) => {
  const take = (name: keyof typeof values): number => {
    const given = values[name];
    const value = Number(given);
    if (typeof given !== 'string' || given === '' || !(value >= 0))
      throw new UsageError(`--${name} ${given ?? 'is missing'}: it must be a number`);
    return value;
  };
  const { architecture } = values;
  if (architecture !== 'arm64' && architecture !== 'x86_64')
    throw new UsageError(`--architecture ${architecture}: it must be arm64 or x86_64`);
  const job: Job = {
    recordsPerSecond: take('records-per-second'),
    recordBytes: take('record-bytes'),
    intervalMs: take('interval-ms'),
    parallelism: take('parallelism'),
    inlineBlobBytes: take('inline-blob-bytes'),
    stateBytes: take('state-mb') * 1024 ** 2,
    changedStateBytes: Math.min(take('changed-keys'), (take('records-per-second') * take('interval-ms')) / 1000) * BYTES_PER_CHANGED_KEY,
  };
  const functions = {
    architecture,
    functionMemoryMb: take('function-memory-mb'),
    coordinatorMemoryMb: take('coordinator-memory-mb'),
  } as const;
  const prices = withPrices(values.price ?? []);

  const { invocations, writeUnits, readUnits, puts, gets, stageMs } = operationsOfEpoch(job);
  const bill = monthlyBill(job, functions, prices);
  console.log(
    `an epoch: ${invocations} invocations of ${stageMs.toFixed(0)} ms together, ${writeUnits} write and ${readUnits} read units, ` +
      `${puts} blobs written and ${gets} read: $${epochDollars(job, functions, prices).toFixed(8)}`,
  );
  console.log('\na month with this input:');
  for (const { what, dollars } of bill) console.log(row(what, dollars));
  console.log(row('together', total(bill)));
  const processes = asProcesses(job, functions, prices);
  console.log(row(`without Lambda, ${processes.tasks} tasks of ${processes.cpus} vCPU on Fargate`, processes.dollars));
  const flink = managedFlink(job, prices);
  console.log(row(`Managed Flink, ${flink.kpus} KPU and 1 for orchestration`, flink.dollars));
  console.log('\na month without input:');
  for (const { what, dollars } of idleBills(job, functions, prices)) console.log(row(what, dollars));
  return 0;
});

function row(what: string, dollars: number): string {
  return `  ${what.padEnd(62)} $${dollars.toFixed(2).padStart(10)}`;
}
