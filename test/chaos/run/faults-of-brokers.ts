import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from '../../simulation/kernel/dice.ts';
import { coordinatorOf } from '../../support/replicas.ts';
import type { Link } from '../../support/tcp-proxy.ts';
import type { Broker, Brokers } from './brokers.ts';
import { someTransactionalId } from './job-transactions.ts';
import { type FaultKind, inSeconds, type Lane } from './lane.ts';
import { partitionsBecome, someOutputPartition } from './replication.ts';
import { type Scene, TRANSACTION_TIMEOUT_MS } from './scene.ts';

/** A broker that is back copies what it missed. */
const IN_SYNC_MS = 20_000;
/** How often it is all brokers that the job cannot reach, not one. */
const ALL_LINKS = 0.3;

/** With one broker, or one of several. */
const ofAny: readonly FaultKind[] = [
  {
    name: 'broker stopped in order, and started',
    weight: 2,
    run: async ({ brokers }, dice) => {
      const broker = dice.pick(brokers.all);
      await broker.end();
      await broker.restart();
      return `broker ${broker.id} is up`;
    },
  },
  {
    name: 'broker killed with -9, and started',
    weight: 2,
    run: ({ brokers }, dice) => killAndStart([dice.pick(brokers.all)], dice),
  },
  {
    name: 'broker stopped (SIGSTOP)',
    weight: 4,
    run: async ({ brokers }, dice) => {
      const broker = dice.pick(brokers.all);
      const ms = dice.spread(300, 6_000);
      broker.freeze();
      await sleep(ms);
      broker.thaw();
      return `broker ${broker.id} for ${inSeconds(ms)}`;
    },
  },
  {
    name: 'broker cut off, requests arrive late',
    weight: 4,
    run: ({ brokers }, dice) => during(brokers, dice, { does: 'hold' }, dice.spread(300, TRANSACTION_TIMEOUT_MS + 2_000)),
  },
  {
    name: 'broker connections reset',
    weight: 4,
    run: ({ brokers }, dice) => during(brokers, dice, { does: 'refuse' }, dice.spread(10, 3_000)),
  },
  {
    name: 'broker answers lost',
    weight: 4,
    run: ({ brokers }, dice) => during(brokers, dice, { does: 'lose-answers' }, dice.spread(50, 2_000)),
  },
  {
    name: 'broker slow',
    weight: 2,
    run: ({ brokers }, dice) => during(brokers, dice, { does: 'delay', ms: dice.whole(20, 150) }, dice.between(1_000, 4_000)),
  },
];

/** With several only. */
const ofSeveral: readonly FaultKind[] = [
  {
    name: 'leader of an output partition killed with -9, and started',
    weight: 3,
    run: async (scene, dice) => {
      const { partition, leader = -1 } = (await someOutputPartition(scene, dice)) ?? {};
      const broker = brokerOf(scene, leader);
      return broker === undefined ? undefined : `leader of partition ${partition}: ${await killAndStart([broker], dice)}`;
    },
  },
  {
    name: "coordinator of the job's transactions killed with -9, and started",
    weight: 3,
    run: async (scene, dice) => {
      const transactionalId = await someTransactionalId(scene, dice);
      if (transactionalId === undefined) return undefined;
      const broker = brokerOf(scene, await coordinatorOf(transactionalId, scene.brokers.addresses).catch(() => -1));
      return broker === undefined ? undefined : `coordinator of ${transactionalId}: ${await killAndStart([broker], dice)}`;
    },
  },
  {
    name: 'two brokers killed with -9, and started',
    weight: 1,
    run: ({ brokers }, dice) => killAndStart(dice.shuffled(brokers.all).slice(0, 2), dice),
  },
  {
    name: 'all brokers killed with -9, and started',
    weight: 1,
    run: ({ brokers }, dice) => killAndStart(brokers.all, dice),
  },
  {
    name: 'all brokers stopped in order, and started',
    weight: 1,
    run: async ({ brokers }) => {
      await Promise.all(brokers.all.map((broker) => broker.end()));
      await Promise.all(brokers.all.map((broker) => broker.restart()));
      return 'all are up';
    },
  },
  {
    name: 'rolling restart of all brokers',
    weight: 1,
    run: async (scene) => {
      let behind = 0;
      for (const broker of scene.brokers.all) {
        await broker.end();
        await broker.restart();
        // As one does it: the next goes when this one has what it missed.
        const inSync = await partitionsBecome(scene, IN_SYNC_MS, (all) => all.every(({ isr }) => isr.length === scene.brokers.all.length));
        if (!inSync) behind++;
      }
      return `${behind} times not in sync within ${inSeconds(IN_SYNC_MS)}`;
    },
  },
];

export const ofBroker: Lane = { name: 'broker', pauseSeconds: [0.5, 3], kinds: ofAny };

/** With several, those that no broker alone can have come as often as the others together: a run has room for thirty of a lane. */
export const ofBrokers: Lane = {
  ...ofBroker,
  kinds: [...ofAny.map((kind) => ({ ...kind, weight: Math.ceil(kind.weight / 2) })), ...ofSeveral],
};

function brokerOf({ brokers }: Scene, id: number): Broker | undefined {
  return brokers.all.find((broker) => broker.id === id);
}

async function killAndStart(which: readonly Broker[], dice: Dice): Promise<string> {
  const ms = dice.between(0, 1_500);
  await Promise.all(which.map((broker) => broker.kill()));
  await sleep(ms);
  await Promise.all(which.map((broker) => broker.restart()));
  return `broker ${which.map(({ id }) => id).join(', ')} down for ${inSeconds(ms)} and a start`;
}

/** Of the job's way to one broker, or to all. */
async function during({ all }: Brokers, dice: Dice, what: Link, ms: number): Promise<string> {
  const cut = dice.chance(ALL_LINKS) ? all : [dice.pick(all)];
  for (const { link } of cut) link.set(what);
  await sleep(ms);
  for (const { link } of cut) link.set({ does: 'pass' });
  return `${JSON.stringify(what)} to broker ${cut.map(({ id }) => id).join(', ')} for ${inSeconds(ms)}`;
}
