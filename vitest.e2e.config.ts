import { defineConfig } from 'vitest/config';

/** Runs that take minutes: `npm run e2e`, `npm run e2e:ticks` and `npm run e2e:localstack`. */
const onTheStack = {
  globalSetup: 'test/setup/stack.ts',
  setupFiles: 'test/setup/environment.ts',
  hookTimeout: 180_000,
};

export default defineConfig({
  test: {
    // kafkajs computes a negative timeout for every connection; Node 24 warns of it, and sets 1 ms as before.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    projects: [
      { test: { name: 'e2e', include: ['test/e2e/deployment.test.ts'], ...onTheStack, testTimeout: 300_000 } },
      // One file after the other: each makes the account ready for the CDK.
      { test: { name: 'ticks', include: ['test/e2e/{ticks,idle}.test.ts'], ...onTheStack, testTimeout: 900_000, maxWorkers: 1 } },
      // The stores as they are checked on the emulator, and the main job.
      {
        test: {
          name: 'localstack',
          include: ['test/e2e/localstack.test.ts', 'test/integration/{blob,epoch}-store.test.ts'],
          ...onTheStack,
          globalSetup: 'test/setup/localstack.ts',
          testTimeout: 300_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
