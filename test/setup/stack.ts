import type { TestProject } from 'vitest/node';
import { openStack, type Stack } from '../../local/stack/stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Environment of the stack that the tests share: brokers, AWS endpoint, DynamoDB Local. */
    readonly stackEnvironment: Readonly<Record<string, string>>;
  }
}

/** Projects that need a stack share one; it stops when vitest does. */
const shared = globalThis as typeof globalThis & { onceflowStack?: Promise<Stack> };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.onceflowStack ??= openStack({
    dynamodbLocal: true,
    // Tests wait for transactions that time out: the broker looks for them every 10 s by default.
    kafka: { settings: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500 } },
    report: (line) => console.error(line),
  });
  const stack = await shared.onceflowStack;
  project.provide('stackEnvironment', { ...stack.env, ONCEFLOW_DYNAMODB_LOCAL: stack.dynamodbLocal?.endpoint ?? '' });
  return () => stack.stop();
}
