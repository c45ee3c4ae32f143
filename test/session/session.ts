/** `npm run session`: see USAGE. */
import { randomBytes } from 'node:crypto';
import { runCommand } from '../../local/command.ts';
import { startStack } from '../../local/stack/stack.ts';
import { BROKER_SETTINGS, runSession } from './run-session.ts';

const USAGE = `npm run session

A job's life in a minute, by "onceflow" alone, while orders come in all the time: it starts, has a savepoint, is changed, rehearsed and started
from it with other numbers of subtasks; a burst scales it up and down; its machine, its functions and the broker are killed with -9; it is exported,
deleted, and goes on elsewhere under another name. Then Kafka's own consumer reads all that came out, and each record is compared
(docs/session.md). Each step is shown with its time, and all of it as a chart in the end. Exit code 1 when a record is missing or twice.`;

await runCommand({ name: 'npm run session', usage: USAGE, options: {} }, async () => {
  const stack = await startStack({ kafka: { settings: BROKER_SETTINGS } });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
  try {
    const name = randomBytes(3).toString('hex');
    const { orders, differences, chart } = await runSession({ kafka: stack.kafka, env: stack.env, name, report: console.log });
    console.log(chart);
    const wrong = differences.totals.length + differences.sizes.length;
    console.log(wrong === 0 ? `${orders} orders: exact` : `${wrong} records of ${orders} orders are wrong`);
    return wrong === 0 ? 0 : 1;
  } finally {
    await stack.stop();
  }
});
