/**
 * `npm run stack [-- --dir <folder>]`: the stack alone until Ctrl-C, for commands in other terminals: quick test runs, your
 * own jobs. Prints the environment that they need.
 */
import { parseArgs } from 'node:util';
import { startStack } from './stack/stack.ts';

const { values } = parseArgs({ options: { dir: { type: 'string' } } });
const stack = await startStack({ dir: values.dir, dynamodbLocal: true });
const env = { ONCEFLOW_STACK: 'external', ...stack.env, ONCEFLOW_DYNAMODB_LOCAL: stack.dynamodbLocal?.endpoint };
console.log(
  Object.entries(env)
    .map(([name, value]) => `export ${name}=${value}`)
    .join('\n'),
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void stack.stop());
