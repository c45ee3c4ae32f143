/** The process of one trial: takes it as a message, answers with the result, and ends. No source file is changed on disk. */
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { type Reporter, startVitest, type TestModule, type TestSpecification } from 'vitest/node';
import { PROBES_APART, withProbes } from './reach.ts';
import type { RanTest, Trial, TrialOutcome, TrialResult } from './trial.ts';

const ROOT = join(import.meta.dirname, '../..');
const SEEDS = 'test/mutation/seeds.ts';
/** No test waits for as long, on a machine that has other things to do. */
const WAIT_MS = 60_000;

process.once('disconnect', () => process.exit(1));
// The tests' thread is gone, which vitest throws: a mutant that gathered without end. Whatever else is thrown is our own fault.
process.once('uncaughtException', (error) =>
  error.message.startsWith('Worker exited unexpectedly')
    ? answer({ outcome: 'died', message: error.message })
    : giveUp(String(error.stack)),
);
const [message] = (await once(process, 'message')) as [Trial];
await run(message);

async function run({ files, seeds, changed, probed = [], limitMs }: Trial): Promise<void> {
  const include = seeds.length > 0 ? [...files, SEEDS] : [...files];
  const ran: RanTest[] = [];
  const isChanged = (file: string) => file === changed?.file || probed.includes(file);
  let changesLoaded = 0;
  let failed: TrialOutcome | undefined;
  let heardAtMs = usedMs();
  let last = 'the start';
  const heard = (of: string) => {
    heardAtMs = usedMs();
    last = of;
  };
  // The tests run in a thread of this process: this timer goes on when they loop. A test that only waits is vitest's affair.
  setInterval(() => {
    if (usedMs() - heardAtMs > limitMs) answer({ outcome: 'hung', name: last });
  }, 100);

  const reporter: Reporter = {
    onTestModuleCollected: (module) => heard(nameOf(module)),
    onTestCaseResult: (test) => {
      const { reached = [], loaded = [] } = test.meta();
      ran.push({ file: nameOf(test.module), name: test.fullName, usedMs: usedMs() - heardAtMs, reached, loaded });
      heard(`${nameOf(test.module)}: ${test.fullName}`);
      if (test.result().state === 'failed') failed ??= failure(test.module, test.fullName, test.result().errors);
    },
    onTestModuleEnd: (module) => {
      if (module.errors().length > 0) failed ??= failure(module, 'loading it', module.errors());
    },
    onTestRunEnd: (modules, errors) => {
      const [module] = modules;
      if (errors.length > 0 && module !== undefined) failed ??= failure(module, 'an error that nobody handled', errors);
      if (failed === undefined && changed !== undefined && changesLoaded === 0) giveUp(`none of these tests loads ${changed.file}`);
      else answer(failed ?? { outcome: 'passed', ran });
    },
  };
  await startVitest(
    [],
    {
      root: ROOT,
      config: false,
      watch: false,
      cache: false,
      include,
      setupFiles: 'test/mutation/setup.ts',
      reporters: [reporter],
      silent: true,
      bail: 1,
      pool: 'threads',
      maxWorkers: 1,
      isolate: false,
      testTimeout: WAIT_MS,
      hookTimeout: WAIT_MS,
      sequence: { sequencer: inOrder(include) },
      provide: { seeds: [...seeds] },
    },
    {
      plugins: [
        {
          name: 'change-sources',
          enforce: 'pre',
          // What is changed must not get into the cache that all runs share, nor come from it.
          configureVitest: ({ defineCacheKeyGenerator }) =>
            defineCacheKeyGenerator(({ id }) => (isChanged(relative(ROOT, id)) ? false : null)),
          transform(source, id) {
            const file = relative(ROOT, id);
            if (!isChanged(file)) return undefined;
            changesLoaded++;
            return { code: file === changed?.file ? changed.source : withProbes(source, probed.indexOf(file) * PROBES_APART), map: null };
          },
        },
      ],
    },
  );
}

/** Processor time: what others do on the machine does not count. */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function answer(outcome: TrialOutcome): void {
  const result: TrialResult = { ...outcome, usedMs: usedMs() };
  process.send?.(result, () => process.exit(0));
}

function giveUp(message: string): void {
  process.stderr.write(`${message}\n`, () => process.exit(1));
}

function failure(module: TestModule, name: string, errors: readonly { message: string }[] = []): TrialOutcome {
  return { outcome: 'failed', file: nameOf(module), name, message: errors[0]?.message ?? '' };
}

function nameOf(module: TestModule): string {
  return relative(ROOT, module.moduleId);
}

function inOrder(files: readonly string[]) {
  const place = ({ moduleId }: TestSpecification) => files.indexOf(relative(ROOT, moduleId));
  return class {
    shard = (specifications: TestSpecification[]) => specifications;
    sort = (specifications: TestSpecification[]) => specifications.toSorted((a, b) => place(a) - place(b));
  };
}
