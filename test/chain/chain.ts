/** `npm run chain`: see USAGE. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileIn, runCommand, wholeNumber } from '../../local/command.ts';
import { startStack } from '../../local/stack/stack.ts';
import { drawChain } from './drawing.ts';
import { runChain } from './run-chain.ts';
import { chainTable, isExact } from './table.ts';

const USAGE = `npm run chain [-- [--seconds S] [--kills N] [--figure FILE]]

Orders into Kafka; a job adds them up by customer and writes the results to ClickHouse and to Parquet files in S3. Beside it a plain
consumer does the same with inserts, upserts and a checkpoint. Both are killed with -9 at the same moments; a reader looks at the tables
meanwhile, and in the end every row is compared (docs/chain.md). Exit code 1 when the job has lost or doubled one.

  --seconds S      orders come for so long (default 30)
  --kills N        and so often everything is killed (default 4)
  --figure FILE    draws, as SVG, what the reader saw`;

await runCommand(
  {
    name: 'npm run chain',
    usage: USAGE,
    options: { seconds: { type: 'string', default: '30' }, kills: { type: 'string', default: '4' }, figure: { type: 'string' } },
  },
  async (given) => {
    const figure = fileIn('figure', given.figure);
    const [seconds, kills] = [wholeNumber('seconds', given.seconds, 1), wholeNumber('kills', given.kills, 0)];
    const stack = await startStack();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
    try {
      const name = `chain-${randomBytes(3).toString('hex')}`;
      const run = await runChain({ brokers: stack.kafka.bootstrap, env: stack.env, name, seconds, kills, report: console.log });
      console.log(chainTable(run));
      if (figure !== undefined) writeFileSync(figure, drawChain(run));
      return isExact(run) ? 0 : 1;
    } finally {
      await stack.stop();
    }
  },
);
