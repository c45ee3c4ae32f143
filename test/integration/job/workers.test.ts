import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../support/command-process.ts';
import { jobRow } from '../../support/epochs.ts';
import { SHORT_TRANSACTIONS } from '../../support/job.ts';
import { onceflow } from '../../support/onceflow.ts';
import { newPort, Service } from '../../support/service.ts';
import { waitFor } from '../../support/wait-for.ts';
import { newWordCount, type WordCount } from '../../support/word-count-run.ts';

/** So that a coordinator that was killed is dead soon, and a request that nobody answers is over soon; and epochs of some size, for they go on while that is waited for. */
const SHORT = {
  ONCEFLOW_LEASE_MS: '3000',
  ONCEFLOW_BUILD_ID: 'one',
  ONCEFLOW_EPOCH_TIMEOUT_MS: '15000',
  ONCEFLOW_PARALLELISM: '3',
  ONCEFLOW_CHECKPOINT_INTERVAL_MS: '200',
};

/** What a user does who has OpenTelemetry. */
const TELEMETRY = fileURLToPath(new URL('../../support/telemetry.ts', import.meta.url));

interface Machine {
  readonly worker: Service;
  readonly url: string;
  /** @param more what else is in its environment */
  again(more?: Readonly<Record<string, string>>): Service;
}

async function newWorker({ job }: WordCount, ...args: readonly string[]): Promise<Machine> {
  const port = await newPort();
  const start = (more = {}) => new Service(['worker', '--port', `${port}`, ...args], { ...job.env, ...more });
  return { worker: start(), url: `http://127.0.0.1:${port}`, again: start };
}

function coordinator({ job }: WordCount, workers: readonly Machine[], more: Readonly<Record<string, string>> = {}): Service {
  return new Service(['run'], { ...job.env, ONCEFLOW_WORKERS: workers.map(({ url }) => url).join(','), ...more });
}

/** The job moves on. */
async function moreEpochs({ job: { name } }: WordCount, epochs: number): Promise<void> {
  const before = (await jobRow(name)).lastCommitted;
  await waitFor(`${epochs} more epochs behind ${before}`, async () => (await jobRow(name)).lastCommitted >= before + epochs);
}

const isJobHeld = ({ event }: LogLine) => event === 'lease-taken';

describe('long-lived workers', () => {
  it('count exactly while one of three is killed with -9 and comes back, another hangs, and a process of one is killed', async () => {
    const count = await newWordCount({ env: SHORT });
    const machines = await Promise.all([
      newWorker(count, '--processes', '2'),
      newWorker(count, '--processes', '1'),
      newWorker(count, '--processes', '1'),
    ]);
    const [first, second, third] = machines as [Machine, Machine, Machine];
    await Promise.all(machines.map(({ worker }) => worker.says('worker of job')));
    const run = coordinator(count, machines);
    const feed = count.feed();
    await run.line(isJobHeld, 'that it has the job');
    await moreEpochs(count, 3);

    await second.worker.killGroup();
    await run.says(`worker ${second.url} is away: `);
    await moreEpochs(count, 3);
    const back = second.again();
    await run.says(`worker ${second.url} takes work again`);
    await moreEpochs(count, 3);

    third.worker.signalGroup('SIGSTOP');
    await run.says(`worker ${third.url} is away: `);
    await moreEpochs(count, 3);
    third.worker.signalGroup('SIGCONT');
    await run.says(`worker ${third.url} takes work again`);

    const before = first.worker.lines.length;
    process.kill(first.worker.functionProcess(), 'SIGKILL');
    await first.worker.says('of the functions ended with SIGKILL: it is started again');
    expect(first.worker.lines.length).toBeGreaterThan(before);
    await moreEpochs(count, 3);

    await feed.stop();
    await count.expectExact(run);
    await Promise.all([first.worker, back, third.worker].map((worker) => worker.stop()));
  });

  it('that is asked to end answers what is under way and ends, and the job goes on at the others without a failed attempt', async () => {
    const count = await newWordCount({ env: SHORT });
    const machines = await Promise.all([newWorker(count, '--processes', '1'), newWorker(count, '--processes', '1')]);
    const [first] = machines as [Machine, Machine];
    await Promise.all(machines.map(({ worker }) => worker.says('worker of job')));
    const run = coordinator(count, machines);
    const feed = count.feed();
    await run.line(isJobHeld, 'that it has the job');
    await moreEpochs(count, 3);
    const askedMs = Date.now();
    await first.worker.stop();
    // Not only when its --drain is over.
    expect(Date.now() - askedMs).toBeLessThan(15_000);
    await moreEpochs(count, 3);
    await feed.stop();
    await count.expectExact(run);
    expect(run.lines.filter(({ event }) => event === 'attempt-failed')).toEqual([]);
  });
});

describe('an update, worker by worker', () => {
  it('goes on at those of the old build while there is one, then at the new coordinator, and counts exactly', async () => {
    const count = await newWordCount({ env: SHORT });
    const NEW = { ONCEFLOW_BUILD_ID: 'two' };
    const machines = await Promise.all([newWorker(count, '--processes', '1'), newWorker(count, '--processes', '1')]);
    const [first, second] = machines as [Machine, Machine];
    await Promise.all(machines.map(({ worker }) => worker.says('worker of job')));
    const old = coordinator(count, machines);
    const feed = count.feed();
    await old.line(isJobHeld, 'that it has the job');
    await moreEpochs(count, 2);

    await first.worker.stop();
    const firstOfNew = first.again(NEW);
    await firstOfNew.says('worker of job');
    await old.says(`worker ${first.url} takes work again`);
    await moreEpochs(count, 3);
    expect(old.lines.filter(({ event }) => event === 'attempt-failed')).toEqual([]);

    const other = coordinator(count, machines, NEW);
    await other.line(({ event }) => event === 'stands-by', 'that it stands by');
    await second.worker.stop();
    const secondOfNew = second.again(NEW);
    await secondOfNew.says('worker of job');
    // The old one finds none of its own build any more.
    await other.line(isJobHeld, 'that it has the job');
    await moreEpochs(count, 3);
    await old.stop();
    await moreEpochs(count, 2);
    await feed.stop();
    await count.expectExact(other);
    await Promise.all([firstOfNew, secondOfNew].map((worker) => worker.stop()));
  });
});

describe('a slow worker', () => {
  it('is bounded by the deadline: it is asked again, also again and again, and the count is exact', async () => {
    const count = await newWordCount({ env: { ...SHORT, ...SHORT_TRANSACTIONS } });
    const machine = await newWorker(count, '--processes', '1');
    await machine.worker.says('worker of job');
    const run = coordinator(count, [machine]);
    const feed = count.feed();
    await run.line(isJobHeld, 'that it has the job');
    await moreEpochs(count, 2);
    // The worker itself answers that it is there.
    const slow = machine.worker.functionProcess();
    process.kill(slow, 'SIGSTOP');
    // An epoch's attempt, or the commit of one that was decided: whatever was under way when it fell asleep.
    const isLate = ({ message = '', resolution = '' }: LogLine) => `${message} ${resolution}`.includes('when its time was over');
    await run.line(isLate, 'that an answer took too long');
    process.kill(slow, 'SIGCONT');
    await moreEpochs(count, 2);
    await feed.stop();
    await count.expectExact(run);
  });
});

describe('two coordinators', () => {
  it('with functions of their own: one stands by, and takes over when the other is killed with -9 with all that it started', async () => {
    const count = await newWordCount({ env: SHORT });
    const ports = [await newPort(), await newPort()];
    const start = (port = 0) => new Service(['run', '--processes', '2', '--port', `${port}`], count.job.env);
    const scraped = async (port = 0) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const one = start(ports[0]);
    await one.line(isJobHeld, 'that it has the job');
    const other = start(ports[1]);
    const feed = count.feed();
    await other.line(({ event }) => event === 'stands-by', 'that it stands by');
    await moreEpochs(count, 3);
    const working = await scraped(ports[0]);
    for (const line of [/^onceflow_job_held\{.*\} 1$/m, /^process_cpu_seconds_total/m]) expect(working).toMatch(line);
    expect(Number(/^onceflow_epochs_committed_total\{.*\} (\d+)$/m.exec(working)?.[1])).toBeGreaterThanOrEqual(3);
    expect(await scraped(ports[1])).toMatch(/^onceflow_job_held\{.*\} 0$/m);
    await one.killGroup();
    await other.line(isJobHeld, 'that it has the job');
    await moreEpochs(count, 3);
    await feed.stop();
    await count.expectExact(other);
  });

  it('at the same workers: one, traced by OpenTelemetry, hands over at once when it is asked to end, and a job that a person has stopped is left alone until it is resumed', async () => {
    const count = await newWordCount({ env: { ...SHORT, ONCEFLOW_LEASE_MS: '30000' } });
    const machine = await newWorker(count, '--processes', '1');
    await machine.worker.says('worker of job');
    const one = coordinator(count, [machine], { NODE_OPTIONS: `--import ${TELEMETRY}` });
    await one.line(isJobHeld, 'that it has the job');
    const other = coordinator(count, [machine]);
    await other.line(({ event }) => event === 'stands-by', 'that it stands by');
    const feed = count.feed();
    await moreEpochs(count, 2);
    for (const span of ['epoch', 'plan', 'stage count-words', 'decide', 'commit'])
      await one.line((line) => line['span'] === span, `that it traced ${span}`);
    const askedMs = Date.now();
    await one.stop();
    await other.line(isJobHeld, 'that it has the job');
    expect(Date.now() - askedMs).toBeLessThan(25_000);
    await moreEpochs(count, 2);
    expect(await onceflow(count.job.env, 'stop')).toMatchObject({ code: 0 });
    await other.line(
      ({ event, message = '' }) => event === 'left-alone' && message.includes('was asked to stop'),
      'that it leaves it alone',
    );
    expect(await onceflow(count.job.env, 'resume')).toMatchObject({ code: 0 });
    await moreEpochs(count, 2);
    await feed.stop();
    await count.expectExact(other);
  });
});
