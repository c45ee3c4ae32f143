import { expect, it, onTestFinished } from 'vitest';
import type { JobRun } from '../support/job-run.ts';
import { newProducer, uniqueName } from '../support/topics.ts';
import { listTransactions } from '../support/transactions.ts';
import { newWordCount, type WordCount } from '../support/word-count-run.ts';
import { someLines } from '../support/word-counts.ts';

/** `SOAK_SECONDS=600 SOAK_SEED=7 npm test -- test/chaos/soak`: longer, and the same faults again. */
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 5);
const SEED = Number(process.env['SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const RECOVERY_SECONDS = 60;

/** Short timeouts, so that some of the faults are longer than they are. */
const ENV = {
  ONCEFLOW_STAGE_PARALLELISM: 'count-words=2,write-counts=2',
  ONCEFLOW_EPOCH_TIMEOUT_MS: '3000',
  ONCEFLOW_COMMIT_TIMEOUT_MS: '1000',
  ONCEFLOW_RECOVERY_TIMEOUT_MS: '2000',
  ONCEFLOW_LEASE_MS: '1500',
  ONCEFLOW_TRANSACTION_TIMEOUT_MS: '7000',
};
const FUNCTIONS = ['source', 'operator-count-words-0', 'operator-count-words-1', 'sink', 'coordinator'];
const LONGEST_FREEZE_MS = 5000;

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, 1000 * count));

it(
  `random faults for ${SECONDS} s (SOAK_SEED=${SEED}) lose nothing and repeat nothing`,
  async () => {
    const dice = diceOf(SEED);
    const count = await newWordCount({ env: ENV });
    const upstream = await writeUpstream(count);
    const happened: string[] = [];
    let run = count.job.start();
    await run.event('committed');
    const untilMs = Date.now() + 1000 * SECONDS;
    while (Date.now() < untilMs) {
      await seconds(dice.upTo(1.5));
      const fault = dice.pick(faults);
      happened.push(fault.name);
      run = await fault({ run, count, dice });
    }
    await upstream.stop();
    await count.expectExact(run).catch((error: Error) => {
      throw new Error(`after ${happened.join(', ')}: ${error.message}`, { cause: error });
    });
    expect(happened.length).toBeGreaterThan(0);
  },
  1000 * (SECONDS + 2 * RECOVERY_SECONDS),
);

/** To a process that may just have ended. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Scene {
  readonly run: JobRun;
  readonly count: WordCount;
  readonly dice: Dice;
}

/** Each gives the run that goes on. */
const faults: readonly ((scene: Scene) => Promise<JobRun>)[] = [
  killOne,
  killOne,
  killOne,
  killEverything,
  freezeOne,
  takeOver,
  fenceOne,
  fenceOne,
];

async function killOne({ run, dice }: Scene): Promise<JobRun> {
  signal(await run.pid(dice.pick(FUNCTIONS)), 'SIGKILL');
  return run;
}

async function killEverything({ run, count, dice }: Scene): Promise<JobRun> {
  await run.killAll();
  await seconds(dice.upTo(1));
  return count.job.start();
}

async function freezeOne({ run, dice }: Scene): Promise<JobRun> {
  const pid = await run.pid(dice.pick(FUNCTIONS));
  signal(pid, 'SIGSTOP');
  await seconds(dice.upTo(LONGEST_FREEZE_MS / 1000));
  signal(pid, 'SIGCONT');
  return run;
}

/** A second coordinator starts, while the first sleeps or beside it. Which of them comes last, and stays, is open. */
async function takeOver({ run, count, dice }: Scene): Promise<JobRun> {
  const sleeper = dice.upTo(2) < 1 ? await run.pid('coordinator') : undefined;
  if (sleeper !== undefined) signal(sleeper, 'SIGSTOP');
  const next = count.job.start();
  if (sleeper !== undefined) {
    await next.event('recovered');
    signal(sleeper, 'SIGCONT');
  }
  const loser = await Promise.race([run, next].map((each) => each.ended.then(() => each)));
  expect(await loser.ended).toMatchObject({ end: 'superseded' });
  return loser === run ? next : run;
}

/** What a zombie does to a transaction, whatever state it is in. */
async function fenceOne({ run, count, dice }: Scene): Promise<JobRun> {
  const ids = (await listTransactions(count.job.name)).map(({ transactionalId }) => transactionalId);
  if (ids.length > 0) await (await (await newProducer(dice.pick(ids))).transaction()).abort();
  return run;
}

/** Lines in transactions, of which every third is aborted. */
async function writeUpstream(count: WordCount): Promise<{ stop(): Promise<void> }> {
  const producer = await newProducer(uniqueName('upstream'));
  let stopped = false;
  const write = async () => {
    for (let seed = 1; !stopped; seed++) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: count.input, messages: someLines(15, seed).map((value) => ({ value })) });
      if (seed % 3 === 0) await transaction.abort();
      else await transaction.commit();
      await seconds(0.02);
    }
  };
  const work = write();
  const stop = () => {
    stopped = true;
    return work;
  };
  onTestFinished(stop);
  return { stop };
}

interface Dice {
  upTo(most: number): number;
  pick<T>(of: readonly T[]): T;
}

function diceOf(seed: number): Dice {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    upTo: (most) => next() * most,
    pick<T>(of: readonly T[]) {
      return of[Math.floor(next() * of.length)] as T;
    },
  };
}
