import { describe, expect, it } from 'vitest';
import { createDynamoDbClient } from '../../../lib/aws/clients.ts';
import { createJobRemoval } from '../../../lib/aws/dynamo-job-removal.ts';
import { kafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import { createFileBlobStore } from '../../../lib/storage/file-blob-store.ts';
import { decisionOf, newJobRow } from '../../contracts/epoch-rows.ts';
import { jobRow, manifestOf, TEST_TABLE, testEpochs } from '../../support/epochs.ts';
import { type PlannedFault, planFault } from '../../support/faults.ts';
import { newJob, type TestJob } from '../../support/job.ts';
import { onceflow } from '../../support/onceflow.ts';
import { newProducer, newTopic, uniqueName } from '../../support/topics.ts';
import { openTransactions } from '../../support/transactions.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount } from '../../support/word-count-run.ts';

/** So that a job that was killed is dead soon; one that lives on a loaded machine must not seem dead. */
const SHORT_LEASE = { ONCEFLOW_LEASE_MS: '3000' };

const ALL_IN_BLOBS = { ONCEFLOW_INLINE_BLOB_BYTES: '0' };

/** The machine loses its power when a run has made its `nth` decision and not committed it yet. */
function powerCut(nth: number): PlannedFault {
  const { env, happened } = planFault({
    role: 'coordinator',
    request: 'DynamoDB.TransactWriteItems',
    when: 'answered',
    nth,
    does: 'kill-all',
  });
  return { env: { ...env, ...SHORT_LEASE }, happened };
}

async function expectNothingLeft({ name, blobs }: TestJob, incarnation: string): Promise<void> {
  expect(await testEpochs().readJob(name)).toBeUndefined();
  expect(await testEpochs().listEpochs(name, incarnation, -1)).toEqual([]);
  expect(await Array.fromAsync(createFileBlobStore({ folder: blobs }).list(`${name}/`))).toEqual([]);
}

describe('a job that is controlled by npx onceflow', () => {
  it('starts, stops, goes on, dies, is put to rest dead, and is deleted', { timeout: 180_000 }, async () => {
    const count = await newWordCount({ env: ALL_IN_BLOBS });
    const { name, env } = count.job;
    const cli = (...args: string[]) => onceflow(env, ...args);
    expect(await cli('status')).toMatchObject({ code: 3, stdout: expect.stringContaining(`there is no job ${name}`) });

    // Running.
    let feed = count.feed();
    let run = count.job.start();
    await run.event('committed', ({ epoch }) => epoch >= 3);
    const running = await cli('status');
    expect(running).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^job ${name}: running\n  holder +generation 1, .* process \\d+; lease: .* left`)),
    });
    expect(running.stdout).toMatch(
      new RegExp(`lag +(none|\\d+ records? .*)\n\n  source +partition +at +end +lag\n  read-lines +${count.input}-0 `),
    );
    expect((await cli('status', '--json')).json()).toMatchObject({
      job: name,
      standing: 'running',
      generation: 1,
      failure: null,
      lag: { partitions: { length: 3 } },
    });
    const epochs = await cli('epochs', '--limit', '2');
    expect(epochs).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^epoch +decided at +took +attempts +records in +records out +is\n( +\d+ .* (committed|decided)\n){2}$/,
      ),
    });
    const listed = await cli('transactions', '--json');
    expect(listed.code).toBe(0);
    const ids = (listed.json()['transactions'] as { transactionalId: string; lastEpoch: { fate: string } | null }[]).map(
      ({ transactionalId, lastEpoch }) => {
        expect([undefined, 'committed']).toContain(lastEpoch?.fate);
        return transactionalId;
      },
    );
    const { incarnation } = await jobRow(name);
    expect(ids).toEqual([`${name}-${incarnation}-write-counts-0-0`, `${name}-${incarnation}-write-counts-0-1`]);

    // Stopped.
    const stopped = await cli('stop');
    expect(stopped).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^job ${name} is stopped: epoch \\d+ is its last, and committed; no transaction is open`)),
    });
    expect(await run.ended).toMatchObject({ end: 'stopped' });
    expect(await openTransactions(name)).toEqual([]);
    expect(await cli('status')).toMatchObject({ code: 0, stdout: expect.stringContaining(`job ${name}: stopped\n`) });
    expect(await cli('stop')).toMatchObject({ code: 0, stderr: '' });

    // Resumed, which starts nothing, and started.
    expect(await cli('resume')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/may run again, from epoch \d+\. Start its coordinator/),
    });
    expect(await cli('status')).toMatchObject({ code: 5, stdout: expect.stringContaining('nobody runs it') });
    const cut = powerCut(3);
    const lastEpoch = (await jobRow(name)).lastCompleted?.epoch ?? 0;
    run = count.job.start(cut.env);
    expect(await run.event('recovered')).toMatchObject({ epoch: lastEpoch, committed: 1, republished: 0 });

    // Dead, with an epoch that is decided and not committed.
    expect(await run.ended).toMatchObject({ end: 'killed' });
    await feed.stop();
    await waitFor('the lease to run out', async () => (await jobRow(name)).leaseExpiresAtMs < Date.now());
    expect(await cli('status')).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(/holder +none; the last was generation \d+, .* whose lease ran out/),
    });
    const left = await cli('transactions');
    expect(left).toMatchObject({
      code: 6,
      stdout: expect.stringMatching(
        new RegExp(`Ongoing +.*HOLDS UP READERS of ${count.output}-.*epoch ${lastEpoch + 3}, decided: the next start or stop commits it`),
      ),
    });
    expect(left.stdout).toMatch(/1 of 2 transactions open; held up:\n.*readers of committed data stop at \d+/);
    const buried = await cli('stop', '--json');
    expect(buried).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(new RegExp(`epoch ${lastEpoch + 3} was decided: committed it`)),
    });
    expect(buried.json()).toEqual({
      job: name,
      outcome: 'stopped',
      lastCompleted: lastEpoch + 3,
      lastCommitted: lastEpoch + 3,
      failure: null,
    });
    expect(await openTransactions(name)).toEqual([]);
    expect(await cli('transactions')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('0 of 2 transactions open; no reader is held up'),
    });

    // A start goes on exactly where it was.
    run = count.job.start();
    await count.expectExact(run);

    // Dead again, and deleted: the epoch that was decided is committed all the same.
    feed = count.feed();
    const secondCut = powerCut(3);
    run = count.job.start(secondCut.env);
    await secondCut.happened();
    await run.ended;
    await feed.stop();
    const { lastCompleted } = await jobRow(name);
    const deleted = await cli('cancel', '--retention', 'delete');
    expect(deleted).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(`^job ${name} is cancelled and deleted: [1-9]\\d* blobs?, \\d+ epochs? and its row; no transaction is open`),
      ),
      stderr: expect.stringContaining(`epoch ${lastCompleted?.epoch} was decided: committed it`),
    });
    expect(await openTransactions(name)).toEqual([]);
    await expectNothingLeft(count.job, incarnation);
    expect(await cli('cancel')).toMatchObject({ code: 3 });
  });

  it('and cancelled while it runs ends its coordinator by name and resumes exactly; with ONCEFLOW_CANCEL_RETENTION=delete nothing is left', async () => {
    const count = await newWordCount({ env: ALL_IN_BLOBS });
    const feed = count.feed();
    const run = count.job.start();
    await run.event('committed', ({ epoch }) => epoch >= 2);
    const cancelled = await onceflow(count.job.env, 'cancel');
    expect(cancelled).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/is cancelled: epoch \d+ is its last, and committed; no transaction is open\. Its state is retained/),
      stderr: expect.stringMatching(/^took job .* from generation 1 of .* process \d+, as generation 2 of .*\(onceflow cancel\)\n/),
    });
    expect(await run.ended).toMatchObject({
      end: 'superseded',
      message: expect.stringMatching(
        /^generation 2 of .* \(onceflow cancel\) has taken over job .* from this one, generation 1 of .* process \d+/,
      ),
    });
    expect(await openTransactions(count.job.name)).toEqual([]);
    await feed.stop();
    await count.expectExact(count.job.start());

    // As a cancellation leaves it that crashed between two of its deletions.
    const removal = createJobRemoval({ client: createDynamoDbClient(), table: TEST_TABLE });
    const { incarnation, ...held } = await jobRow(count.job.name);
    await testEpochs().setDesired(count.job.name, 'stopped');
    expect(await removal.forgetEpochs({ ...held, incarnation }, 'fresh')).toBe('written');
    expect(await onceflow({ ...count.job.env, ONCEFLOW_CANCEL_RETENTION: 'delete' }, 'cancel')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/is cancelled and deleted: [1-9]\d* blobs?, [1-9]\d* epochs? and its row/),
    });
    await expectNothingLeft(count.job, incarnation);
  });

  it('and stopped when it is dead publishes again what the broker had aborted of a decided epoch, once', async () => {
    const count = await newWordCount();
    await count.write(['a b', 'b c', 'c d']);
    const cut = powerCut(2);
    await count.job.start(cut.env).ended;
    await cut.happened();
    const [committable] = (await manifestOf(count.job.name)).committables.map(kafkaCommittable);
    const zombie = await newProducer(committable?.transactionalId);
    await (await zombie.transaction()).abort();
    expect(await onceflow(count.job.env, 'stop')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        /was in doubt: republished\nepoch 1 was decided: committed it; 1 of its transactions had been lost and were published again/,
      ),
    });
    await count.expectExact(count.job.start());
  });

  it('and whose brokers do not answer shows its row, and that its lag is unknown', async () => {
    const job = await newJob('jobs/word-count.ts', {}, { ONCEFLOW_BROKERS: '127.0.0.1:9' });
    await testEpochs().createJob(newJobRow({ job: job.name, lastCompleted: undefined }));
    const row = await jobRow(job.name);
    await testEpochs().decide(decisionOf(row));
    expect(await onceflow(job.env, 'status')).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(
        /nobody runs it[\s\S]*epochs +0 completed [\s\S]*lag +unknown: .*no answer from the brokers 127.0.0.1:9/,
      ),
    });
    expect(await onceflow(job.env, 'transactions')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no answer from the brokers'),
    });
  });

  it('and that failed shows why, and may run again when it is told to', async () => {
    const [input, missing] = [await newTopic('lines'), uniqueName('missing')];
    const job = await newJob('jobs/word-count.ts', { 'read-lines': input, 'write-counts': missing });
    expect(await job.start().ended).toMatchObject({ end: 'failed' });
    expect(await onceflow(job.env, 'status')).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(new RegExp(`: failed: mend the cause, .*\n.*\n  failure +.*topic ${missing} does not exist`)),
    });
    expect(await onceflow(job.env, 'resume')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/its failure is cleared: .*does not exist/),
    });
    expect((await onceflow(job.env, 'status', '--json')).json()).toMatchObject({ standing: 'dead', failure: null });
  });
});

describe('a second start of a live job', () => {
  it('takes over, and both processes say so by name and time', async () => {
    const count = await newWordCount();
    await count.write(['a b']);
    const first = count.job.start();
    await first.event('committed');
    const second = count.job.start();
    expect(await second.event('takes-over')).toMatchObject({
      message: expect.stringMatching(
        new RegExp(
          `^takes over job ${count.job.name} from generation 1 of .* process \\d+, whose lease runs until \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z \\(\\d+ s more\\)$`,
        ),
      ),
    });
    expect(await first.ended).toMatchObject({
      end: 'superseded',
      message: expect.stringMatching(
        /^generation 2 of .* process \d+ has taken over job .* from this one, generation 1 of .* process \d+; its lease runs until /,
      ),
    });
    await count.expectExact(second);
  });

  it('with ONCEFLOW_TAKEOVER=refuse says who holds the job until when, and leaves it alone', async () => {
    const count = await newWordCount();
    await count.write(['a b']);
    const first = count.job.start();
    await first.event('committed');
    const second = count.job.start({ ONCEFLOW_TAKEOVER: 'refuse' });
    expect(await second.ended).toMatchObject({
      end: 'refused',
      message: expect.stringMatching(
        new RegExp(`^job ${count.job.name} is held by generation 1 of .* process \\d+ until .*Z .*ONCEFLOW_TAKEOVER=refuse`),
      ),
    });
    await count.expectExact(first);
  });
});
