/** `npm run stack`: see USAGE. */
import { folderIn, runCommand } from './command.ts';
import { startStack } from './stack/stack.ts';

const USAGE = `npm run stack [-- --dir FOLDER]

Kafka, the AWS emulator and DynamoDB Local alone, until Ctrl-C, for commands in other terminals: quick test runs, your own jobs.
Prints the environment that they need.

  --dir FOLDER    the data stay there (default: they go at the end)`;

await runCommand({ name: 'npm run stack', usage: USAGE, options: { dir: { type: 'string' } } }, async ({ dir }) => {
  const stack = await startStack({ dir: folderIn('dir', dir), dynamodbLocal: true });
  const env = { ONCEFLOW_STACK: 'external', ...stack.env, ONCEFLOW_DYNAMODB_LOCAL: stack.dynamodbLocal?.endpoint };
  console.log(
    Object.entries(env)
      .map(([name, value]) => `export ${name}=${value}`)
      .join('\n'),
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void stack.stop());
  return 0;
});
