import { defineConfig } from 'vitest/config';
import LongestFirst from './test/setup/longest-first.ts';

/** Suites that start, kill or freeze parts of a stack: they need the embedded one (CONTRIBUTING.md). */
const ownStack =
  process.env['ONCEFLOW_STACK'] === 'external' ? ['test/integration/{stack,kafka-3.9,job/security}.test.ts', 'test/chaos/**'] : [];

/** Files leave nothing behind in a process that the next one could trip over: a worker loads the engine once, not once for each file. */
const isolate = false;

/**
 * Five files at a time share the stack: each makes its own topics, tables, buckets and jobs. Five on two cores, because more than
 * half of their time is waiting: four leave a quarter of the cores idle.
 */
const onTheStack = {
  isolate,
  maxWorkers: 5,
  globalSetup: 'test/setup/stack.ts',
  setupFiles: 'test/setup/environment.ts',
  exclude: ownStack,
  // What takes seconds on an idle machine may take minutes on a busy one.
  testTimeout: 240_000,
  hookTimeout: 240_000,
  sequence: { groupOrder: 1 },
};

/** They compute, and some of them wait for a deadline or a process: one worker more than two cores. What takes a second alone may take many on a busy machine. */
const computing = { isolate, maxWorkers: 3, testTimeout: 240_000, hookTimeout: 240_000, sequence: { groupOrder: 0 } };

export default defineConfig({
  test: {
    // kafkajs computes a negative timeout for every connection; Node 24 warns of it, and sets 1 ms as before.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...computing } },
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], ...computing } },
      // The package as others have it: packed, and installed in projects of its own.
      { test: { name: 'package', include: ['test/package/**/*.test.ts'], ...computing } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...onTheStack } },
      { test: { name: 'chaos', include: ['test/chaos/**/*.test.ts'], ...onTheStack } },
      // The CDK's own command line, and functions that really run as Lambda's: the long form is vitest.e2e.config.ts.
      {
        test: {
          name: 'deployment',
          include: ['test/deployment/**/*.test.ts'],
          ...onTheStack,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
