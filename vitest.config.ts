import { defineConfig } from 'vitest/config';

/** Suites that start, kill or freeze parts of a stack: they need the embedded one (CONTRIBUTING.md). */
const ownStack =
  process.env['ONCEFLOW_STACK'] === 'external' ? ['test/integration/{stack,kafka-3.9,job/security}.test.ts', 'test/chaos/**'] : [];

const onTheStack = {
  globalSetup: 'test/setup/stack.ts',
  setupFiles: 'test/setup/environment.ts',
  exclude: ownStack,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // kafkajs computes a negative timeout for every connection; Node 24 warns of it, and sets 1 ms as before.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], sequence: { groupOrder: 0 } } },
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 60_000, sequence: { groupOrder: 0 } } },
      // Two files at a time share the stack: each makes its own topics, tables, buckets and jobs.
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          ...onTheStack,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // Beside them, because most of an outage is waiting.
      { test: { name: 'chaos', include: ['test/chaos/**/*.test.ts'], ...onTheStack, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      // The CDK's own command line, and functions that really run as Lambda's: the long form is vitest.e2e.config.ts.
      {
        test: {
          name: 'deployment',
          include: ['test/deployment/**/*.test.ts'],
          ...onTheStack,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
