import { setTimeout as sleep } from 'node:timers/promises';
import { RecordBatchWriter } from '../../../lib/format/record-batch-writer.ts';
import { utf8 } from '../../../lib/format/serdes.ts';
import { connectKafka } from '../../../lib/kafka/connect.ts';
import { KafkaProblem, type KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import { prepareTransaction } from '../../../lib/sinks/kafka/prepare.ts';
import { runKafkaTool } from '../../../local/stack/java.ts';
import type { Dice } from '../../simulation/kernel/dice.ts';
import type { Treatment } from '../../support/http-proxy.ts';
import { signalIfThere } from '../../support/signals.ts';
import type { Size } from './brokers.ts';
import { endAnUpload } from './elsewhere.ts';
import { betweenBrokers } from './faults-between-brokers.ts';
import { ofBroker, ofBrokers } from './faults-of-brokers.ts';
import { someTransactionalId } from './job-transactions.ts';
import { inSeconds, type Lane } from './lane.ts';
import { LEASE_MS, type Scene, TRANSACTION_TIMEOUT_MS } from './scene.ts';
import type { Workload } from './workload.ts';

const ZOMBIE_MS = 5_000;
const timing = {
  clock: { now: () => Date.now(), elapsedMs: () => performance.now(), sleep: (ms: number) => sleep(ms) },
  random: { id: () => '', fraction: Math.random },
};

/** Longer than a decided transaction can stay open. */
const beyondTransactionMs = (dice: Dice) => Math.round(TRANSACTION_TIMEOUT_MS + dice.between(1_000, 2_000));

const ofProcesses: Lane = {
  name: 'processes',
  pauseSeconds: [0.2, 2],
  kinds: [
    {
      name: 'kill -9 of a function',
      weight: 5,
      run: async ({ job }, dice) => {
        const functions = Object.entries(await job.current.pids()).filter(([name]) => name !== 'coordinator');
        const [name, pid] = dice.pick(functions.sort());
        return signalIfThere(pid, 'SIGKILL') ? name : undefined;
      },
    },
    {
      name: 'kill -9 of the coordinator',
      weight: 3,
      run: async ({ job }) => (signalIfThere(await job.current.pid('coordinator'), 'SIGKILL') ? 'coordinator' : undefined),
    },
    {
      name: 'kill -9 of the whole job, started again',
      weight: 2,
      run: async ({ job }, dice) => {
        await job.killAll();
        const ms = dice.spread(20, 2_000);
        await sleep(ms);
        job.start(dice);
        return `down for ${inSeconds(ms)}`;
      },
    },
    {
      name: 'coordinator stopped for longer than its lease',
      weight: 2,
      run: ({ job }, dice) => freeze(job.current.pid('coordinator'), LEASE_MS * dice.between(1.2, 3)),
    },
    {
      name: 'sink stopped for longer than its transaction may last',
      weight: 2,
      run: ({ job }, dice) => freeze(job.current.pid('sink'), beyondTransactionMs(dice)),
    },
    {
      name: 'function stopped for a while',
      weight: 2,
      run: ({ job }, dice) => freeze(job.current.pid(dice.pick(['source', 'operator', 'sink'])), dice.spread(100, 5_000)),
    },
    {
      name: 'second coordinator takes over from a live one',
      weight: 1,
      run: async ({ job }, dice) => {
        await job.takeOver(dice, async () => {});
        return 'one of the two ended as superseded';
      },
    },
    {
      name: 'second coordinator takes over from a stopped one',
      weight: 1,
      run: async ({ job }, dice) => {
        const sleeper = await job.current.pid('coordinator');
        if (!signalIfThere(sleeper, 'SIGSTOP')) return undefined;
        await job.takeOver(dice, async (next) => {
          await next.event('recovered');
          signalIfThere(sleeper, 'SIGCONT');
        });
        return 'the stopped one woke up and ended as superseded';
      },
    },
  ],
};

const ofStore: Lane = {
  name: 'store',
  pauseSeconds: [0.5, 3],
  kinds: [
    {
      name: 'store answers with errors',
      weight: 3,
      run: (scene, dice) =>
        treating(scene, dice.between(500, 4_000), () => {
          if (!dice.chance(0.6)) return { does: 'pass' };
          return dice.chance(0.3)
            ? { does: 'fail', how: 'throttled', carriedOut: false }
            : { does: 'fail', how: 'internal', carriedOut: dice.chance(0.5) };
        }),
    },
    {
      name: 'store connections reset',
      weight: 3,
      run: (scene, dice) =>
        treating(scene, dice.between(500, 4_000), () =>
          dice.chance(0.6) ? { does: 'reset', carriedOut: dice.chance(0.5) } : { does: 'pass' },
        ),
    },
    {
      name: 'store cut off, requests arrive late',
      weight: 2,
      run: (scene, dice) => holding(scene, dice.spread(300, 8_000), 'request', () => true),
    },
    {
      name: 'store slow',
      weight: 1,
      run: (scene, dice) => treating(scene, dice.between(1_000, 3_000), () => ({ does: 'delay', ms: dice.whole(20, 400) })),
    },
    {
      name: 'decision made, its answer later than the transaction timeout',
      weight: 1,
      run: (scene, dice) => holding(scene, beyondTransactionMs(dice), 'answer', (request) => request === 'DynamoDB.TransactWriteItems'),
    },
  ],
};

const ofTransactions: Lane = {
  name: 'transactions',
  pauseSeconds: [2, 6],
  kinds: [
    {
      name: "zombie's InitProducerId",
      weight: 5,
      run: fenceAsZombie,
    },
    {
      name: 'zombie leaves a transaction open, with a record in it',
      weight: 2,
      run: prepareAsZombie,
    },
    {
      name: 'transaction ended by hand (forceTerminateTransaction)',
      weight: 1,
      run: async (scene, dice) => {
        const transactionalId = await someTransactionalId(scene, dice);
        if (transactionalId === undefined) return undefined;
        const { exitCode } = await runKafkaTool('org.apache.kafka.tools.TransactionsCommand', [
          ...['--bootstrap-server', scene.brokers.addresses.join(','), 'forceTerminateTransaction', '--transactionalId', transactionalId],
        ]);
        return exitCode === 0 ? transactionalId : undefined;
      },
    },
  ],
};

const ofUploads: Lane = {
  name: 'uploads',
  pauseSeconds: [1, 4],
  kinds: [
    {
      name: 'upload ended by hand',
      weight: 1,
      async run({ elsewhere }, dice) {
        // They are open for a moment in each epoch.
        for (const untilMs = Date.now() + ZOMBIE_MS; Date.now() < untilMs; await sleep(5)) {
          const ended = elsewhere === undefined ? undefined : await endAnUpload(elsewhere, (open) => dice.pick(open));
          if (ended !== undefined) return ended;
        }
        return undefined;
      },
    },
  ],
};

/** With one broker nothing is between brokers. */
export function lanesFor(brokers: Size, workload: Workload): readonly Lane[] {
  const anywhere = [ofProcesses, ofStore, ofTransactions, ...(workload === 'words-everywhere' ? [ofUploads] : [])];
  return brokers === 1 ? [...anywhere, ofBroker] : [...anywhere, ofBrokers, betweenBrokers];
}

async function freeze(process: Promise<number>, ms: number): Promise<string | undefined> {
  const pid = await process;
  if (!signalIfThere(pid, 'SIGSTOP')) return undefined;
  await sleep(ms);
  signalIfThere(pid, 'SIGCONT');
  return `process ${pid} for ${inSeconds(ms)}`;
}

/** Undefined when no request was treated. */
async function treating({ storeLink }: Scene, ms: number, treat: (request: string) => Treatment): Promise<string | undefined> {
  let treated = 0;
  storeLink.set((request) => {
    const treatment = treat(request);
    if (treatment.does !== 'pass') treated++;
    return treatment;
  });
  await sleep(ms);
  storeLink.pass();
  return treated === 0 ? undefined : `${treated} requests in ${inSeconds(ms)}`;
}

async function holding(
  scene: Scene,
  ms: number,
  what: 'request' | 'answer',
  isHeld: (request: string) => boolean,
): Promise<string | undefined> {
  const { promise: until, resolve: letGo } = Promise.withResolvers<void>();
  try {
    return await treating(scene, ms, (request) => (isHeld(request) ? { does: 'hold', what, until } : { does: 'pass' }));
  } finally {
    letGo();
  }
}

/** What an attempt does that was forgotten long ago and wakes up: it begins with InitProducerId, which fences. */
function fenceAsZombie(scene: Scene, dice: Dice): Promise<string | undefined> {
  return asZombie(scene, dice, async (kafka, transactionalId) => {
    const { answer } = await kafka.initProducerId(transactionalId, TRANSACTION_TIMEOUT_MS);
    // What was open is being aborted: that is what it does.
    return answer === 'NONE' || answer === 'CONCURRENT_TRANSACTIONS';
  });
}

/** It may go on from there, in the engine's own code. */
function prepareAsZombie(scene: Scene, dice: Dice): Promise<string | undefined> {
  return asZombie(scene, dice, async (kafka, transactionalId) => {
    const [, incarnation, sink, subtask, parity] = /^[^-]+-([0-9a-f]+)-(.+)-(\d+)-([01])$/.exec(transactionalId) ?? [];
    if (incarnation === undefined || sink === undefined) throw new Error(`${transactionalId} is no id of ours`);
    const writer = new RecordBatchWriter({ maxBatchBytes: 1_000 });
    writer.append(Date.now(), undefined, undefined, 'zombie:::1', utf8);
    const staged = [{ topic: scene.output, partition: dice.whole(0, 2), batches: Buffer.from(writer.finish()) }];
    const place = { job: scene.job.name, incarnation, sink, subtask: Number(subtask), topics: [scene.output] };
    const attempt = { ...place, epoch: Number(parity), transactionTimeoutMs: TRANSACTION_TIMEOUT_MS };
    const deadlineMs = timing.clock.elapsedMs() + ZOMBIE_MS;
    const prepared = await prepareTransaction({ ...timing, kafka, deadlineMs }, { ...attempt, staged: () => Promise.resolve(staged) });
    return prepared.outcome === 'prepared';
  });
}

/** Undefined when the job was quicker, or the broker is away. */
async function asZombie(
  scene: Scene,
  dice: Dice,
  act: (kafka: KafkaRequests, transactionalId: string) => Promise<boolean>,
): Promise<string | undefined> {
  const transactionalId = await someTransactionalId(scene, dice);
  if (transactionalId === undefined) return undefined;
  const kafka = await connectKafka({
    brokers: scene.brokers.addresses,
    clientId: 'zombie',
    clock: timing.clock,
    requestTimeoutMs: ZOMBIE_MS,
  });
  try {
    return (await act(kafka, transactionalId)) ? transactionalId : undefined;
  } catch (error) {
    if (error instanceof KafkaProblem) return undefined;
    throw error;
  } finally {
    await kafka.close();
  }
}
