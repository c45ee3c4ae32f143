import { describe, expect, it } from 'vitest';
import { jobRow, testEpochs } from '../../support/epochs.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { onceflow } from '../../support/onceflow.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

const MODULE = 'test/support/poison-job.ts';
/** Empty: not set. The strategies do not read each other's settings. */
const NO_BACKOFF = { ONCEFLOW_RESTART_BACKOFF_MS: '', ONCEFLOW_RESTART_BACKOFF_MAX_MS: '' };

/** A word count with some lines in and one that fails for ever, and the message with which it gives up. */
async function givesUp(env: Readonly<Record<string, string>>): Promise<{ count: WordCount; message: string; failures: number }> {
  const count = await newWordCount({ module: MODULE, env: { ONCEFLOW_POISON_ATTEMPTS: 'unlimited', ...env } });
  await count.write(['bad-in-source']);
  const run = count.job.start();
  const { end, message } = await run.ended;
  expect(end).toBe('failed');
  expect((await jobRow(count.job.name)).failure).toBe(message);
  return { count, message, failures: run.eventsOf('attempt-failed').length };
}

describe('ONCEFLOW_RESTART_STRATEGY', () => {
  it('none gives up at the first failure', async () => {
    const { message, failures } = await givesUp({ ...NO_BACKOFF, ONCEFLOW_RESTART_STRATEGY: 'none' });
    expect(message).toMatch(
      /^restart strategy none gives up at the first failure.* The last error: epoch 1, stage read-lines: .*is refused/,
    );
    expect(failures).toBe(1);
  });

  it('fixed-delay gives up after ONCEFLOW_RESTART_ATTEMPTS, each after ONCEFLOW_RESTART_DELAY_MS', async () => {
    const startedMs = performance.now();
    const { message, failures } = await givesUp({
      ...NO_BACKOFF,
      ONCEFLOW_RESTART_STRATEGY: 'fixed-delay',
      ONCEFLOW_RESTART_ATTEMPTS: '2',
      ONCEFLOW_RESTART_DELAY_MS: '300',
    });
    expect(message).toContain(
      'fixed-delay gives up: 3 failures in a row, and ONCEFLOW_RESTART_ATTEMPTS=2, each after ONCEFLOW_RESTART_DELAY_MS=300',
    );
    expect(failures).toBe(3);
    expect(performance.now() - startedMs).toBeGreaterThan(2 * 0.8 * 300);
  });

  it('failure-rate gives up at more than ONCEFLOW_RESTART_MAX_FAILURES in ONCEFLOW_RESTART_FAILURE_INTERVAL_MS', async () => {
    const { message, failures } = await givesUp({
      ...NO_BACKOFF,
      ONCEFLOW_RESTART_STRATEGY: 'failure-rate',
      ONCEFLOW_RESTART_MAX_FAILURES: '3',
      ONCEFLOW_RESTART_FAILURE_INTERVAL_MS: '600000',
      ONCEFLOW_RESTART_DELAY_MS: '10',
    });
    expect(message).toContain(
      'failure-rate gives up: 4 failures within ONCEFLOW_RESTART_FAILURE_INTERVAL_MS=600000, and ONCEFLOW_RESTART_MAX_FAILURES=3',
    );
    expect(failures).toBe(4);
  });

  it('that gave up leaves a job that can be started again', async () => {
    const { count } = await givesUp({ ...NO_BACKOFF, ONCEFLOW_RESTART_STRATEGY: 'none' });
    // The function is mended.
    const mended = count.job.start({ ONCEFLOW_JOB: './jobs/word-count.ts' });
    await count.write(someLines(30));
    await count.expectExact(mended);
  });
});

describe('ONCEFLOW_TOLERABLE_FAILURES', () => {
  it('stops the job at one more failure in a row that is not of user code, and no other', async () => {
    const count = await newWordCount({ env: { ...SHORT_TRANSACTIONS, ONCEFLOW_TOLERABLE_FAILURES: '1' } });
    await count.write(someLines(30));
    const run = count.job.start({}, 'each');
    await count.allCounted(run);
    const operator = await run.pid('operator');
    process.kill(operator, 'SIGSTOP');
    await count.write(someLines(30, 2));
    await run.until('two failures', () => run.eventsOf('attempt-failed').length >= 2 || undefined);
    process.kill(operator, 'SIGCONT');
    const { end, message } = await run.ended;
    expect(end).toBe('failed');
    expect(message).toMatch(
      /^2 attempts in a row failed, none of them in user code, and ONCEFLOW_TOLERABLE_FAILURES=1 are tolerated\. .* The last error: epoch \d+, stage count-words: .*no answer within/,
    );
    await count.expectExact(count.job.start());
  });
});

describe('ONCEFLOW_MIN_PAUSE_MS', () => {
  it('has one epoch at a time, and the next one only so long after its commit', async () => {
    const count = await newWordCount({ env: { ONCEFLOW_MIN_PAUSE_MS: '400' } });
    const run = count.job.start();
    const feed = count.feed();
    await run.until('five epochs', () => run.eventsOf('committed').length >= 5 || undefined);
    await feed.stop();
    expect(run.eventsOf('planned').every(({ inFlight }) => inFlight === 1)).toBe(true);
    const { incarnation } = await jobRow(count.job.name);
    const epochs = (await testEpochs().listEpochs(count.job.name, incarnation, 0)).map(({ summary }) => summary);
    // From before the commit, that is, so that the pause is in it.
    const between = epochs.slice(1).map(({ plannedAtMs }, index) => plannedAtMs - (epochs[index]?.decidedAtMs ?? 0));
    expect(between.length).toBeGreaterThanOrEqual(4);
    expect(Math.min(...between)).toBeGreaterThanOrEqual(400);
    await count.expectExact(run);
  });
});

describe('a job without progress', () => {
  it('says so in its events and its status: since when, how many failures, the last error; and no more when it goes on', async () => {
    const count = await newWordCount({ module: MODULE, env: { ONCEFLOW_POISON_ATTEMPTS: 'unlimited' } });
    await count.write(['some words', 'bad-in-operator', 'more words']);
    const run = count.job.start();
    const said = await run.event('no-progress');
    expect(said).toMatchObject({
      lastError: expect.stringMatching(/^epoch \d+, stage count-words: .*the word bad-in-operator is refused/),
    });
    expect(said.failuresInARow).toBeGreaterThan(5);
    const env = { ...count.job.env, ONCEFLOW_JOB_NAME: count.job.name };
    await waitFor('the status', async () => (await onceflow(env, 'status', '--json')).json()['noProgress'] !== null);
    const status = await onceflow(env, 'status');
    expect(status.code).toBe(9);
    expect(status.stdout).toMatch(
      /progress +none for \d+ s \(since .*\), though there is something to do; \d+ failed attempts in a row, the last error:\n +epoch \d+, stage count-words: .*is refused/,
    );
    await run.stop();

    const mended = count.job.start({ ONCEFLOW_JOB: './jobs/word-count.ts' });
    await count.allCounted(mended);
    expect((await onceflow(env, 'status', '--json')).json()).toMatchObject({ noProgress: null });
    await count.expectExact(mended);
  });
});
