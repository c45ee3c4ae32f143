import { describe, expect, it } from 'vitest';
import { runJob } from '../../../local/functions/run-job.ts';
import { jobRow, testEpochs } from '../../support/epochs.ts';
import { planFault } from '../../support/faults.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { endsOf } from '../../support/kafka-wire.ts';
import { openTransactions } from '../../support/transactions.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';

const EPOCH = 3;

describe('a stop', () => {
  it('under load finishes and commits what is under way, leaves no transaction open, and the job goes on from there', async () => {
    const count = await newWordCount({ env: { ONCEFLOW_STAGE_PARALLELISM: 'write-counts=2' } });
    const feed = count.feed();
    const first = count.job.start();
    await first.event('committed', ({ epoch }) => epoch === EPOCH);
    await first.stop();
    expect(await openTransactions(count.job.name)).toEqual([]);
    const { lastCompleted, lastCommitted, desired, leaseExpiresAtMs } = await jobRow(count.job.name);
    expect({ lastCommitted, desired, leaseExpiresAtMs }).toEqual({
      lastCommitted: lastCompleted?.epoch,
      desired: 'stopped',
      leaseExpiresAtMs: 0,
    });
    const second = count.job.start();
    expect(await second.event('lease-taken')).toMatchObject({ lastCompleted: lastCompleted?.epoch, lastCommitted });
    await second.event('committed');
    await feed.stop();
    await count.expectExact(second);
  });

  it('aborts the transaction of an attempt whose sink is frozen, and what that sink does when it wakes is refused', async () => {
    const count = await newWordCount({ env: SHORT_TRANSACTIONS });
    const frozen = planFault({ role: 'sink', request: 'Produce', when: 'answered', nth: EPOCH, does: 'stop-itself' });
    const feed = count.feed();
    const run = count.job.start(frozen.env);
    const sink = await frozen.happened();
    await feed.stop();
    expect(await openTransactions(count.job.name)).toHaveLength(1);
    const stopped = run.stop();
    await run.event('ended');
    expect(await openTransactions(count.job.name)).toEqual([]);
    process.kill(sink, 'SIGCONT');
    await stopped;
    await waitFor(
      'readers to be held up no more',
      async () => String(await endsOf(count.output, 'committed')) === String(await endsOf(count.output, 'uncommitted')),
    );
    await count.expectExact(count.job.start());
  });
});

describe('a start with fewer subtasks', () => {
  it('after everything was killed with prepared transactions leaves none of them to hold readers up', async () => {
    const count = await newWordCount();
    const killed = planFault({
      role: 'coordinator',
      request: 'DynamoDB.TransactWriteItems',
      when: 'before',
      nth: EPOCH + 1,
      does: 'kill-all',
    });
    const feed = count.feed();
    const two = { ONCEFLOW_STAGE_PARALLELISM: 'count-words=2,write-counts=2' };
    await count.job.start({ ...killed.env, ...two }).ended;
    await killed.happened();
    expect(await openTransactions(count.job.name)).toHaveLength(2);
    const run = count.job.start();
    await run.event('committed');
    await feed.stop();
    await count.expectExact(run);
  });
});

describe('a job that is let go on', () => {
  it('and is stopped again before it starts is not started: what a person asked for last counts', async () => {
    const count = await newWordCount();
    const run = count.job.start();
    await run.event('recovered');
    await run.stop();
    // What "npm run local" does when it has seen that the job may go on; meanwhile it was stopped.
    const resumed = await runJob({ env: count.job.env, startKind: 'revival' });
    expect(await resumed.ended).toMatchObject({ end: 'refused', message: expect.stringContaining('was asked to stop') });
    expect(await jobRow(count.job.name)).toMatchObject({ desired: 'stopped', generation: 1 });
  });
});

describe('a coordinator that crashes', () => {
  it('after somebody has stopped its job is not started again: that would undo the stop', async () => {
    const count = await newWordCount();
    const run = count.job.start();
    await run.event('recovered');
    const coordinator = await run.pid('coordinator');
    process.kill(coordinator, 'SIGSTOP');
    await testEpochs().setDesired(count.job.name, 'stopped');
    process.kill(coordinator, 'SIGKILL');
    expect(await run.ended).toMatchObject({ end: 'refused', message: expect.stringContaining('was asked to stop') });
    expect(await jobRow(count.job.name)).toMatchObject({ desired: 'stopped', generation: 1 });
  });

  it('just before its job is stopped here is started again, and stops it: what it left open is ended', async () => {
    const count = await newWordCount();
    const recovered = Promise.withResolvers<void>();
    const crashed = Promise.withResolvers<void>();
    const job = await runJob({
      env: count.job.env,
      onEvent: ({ event }) => event === 'recovered' && recovered.resolve(),
      onCrash: () => crashed.resolve(),
    });
    await recovered.promise;
    process.kill(job.processes().get('coordinator') ?? 0, 'SIGKILL');
    await crashed.promise;
    expect(await job.stop()).toMatchObject({ end: 'stopped' });
    expect(await jobRow(count.job.name)).toMatchObject({ desired: 'stopped', generation: 2, leaseExpiresAtMs: 0 });
  });

  it('more than once, whoever died before, is followed at once: nobody waits for a lease of the dead', async () => {
    const count = await newWordCount({ env: { ONCEFLOW_LEASE_MS: '60000' } });
    const feed = count.feed();
    const run = count.job.start();
    for (const generation of [1, 2, 3]) {
      await run.event('lease-taken', (taken) => taken.generation === generation);
      if (generation < 3) process.kill(await run.pid('coordinator'), 'SIGKILL');
    }
    await run.event('committed');
    await feed.stop();
    await count.expectExact(run);
  });
});
