import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from '../../simulation/kernel/dice.ts';
import { type PartitionReplicas, reassign } from '../../support/replicas.ts';
import type { Link } from '../../support/tcp-proxy.ts';
import type { PeerLink } from './brokers.ts';
import { inSeconds, type Lane } from './lane.ts';
import { partitions, partitionsBecome, someOutputPartition } from './replication.ts';
import type { Scene } from './scene.ts';

/** For a leader to leave its followers out: `replica.lag.time.max.ms` and half of it more, and a busy machine. */
const OUT_OF_SYNC_MS = 10_000;
const IN_SYNC_MS = 20_000;
const MOVED_MS = 20_000;
/** All brokers may be starting. */
const TAKEN_ON_MS = 60_000;
const CONTROLLER_MS = 3_000;
const AGAIN_MS = 500;
const MIN_IN_SYNC = 2;

/** The job reaches every broker meanwhile. */
export const betweenBrokers: Lane = {
  name: 'between brokers',
  pauseSeconds: [1, 4],
  kinds: [
    {
      name: 'broker cut off from the others',
      weight: 4,
      run: async ({ brokers }, dice) => {
        const { id } = dice.pick(brokers.all);
        const ways = brokers.peers.filter(({ from, to }) => from === id || to === id);
        return `broker ${id}: ${await during(ways, silence(dice), dice.spread(500, 8_000))}`;
      },
    },
    {
      name: 'broker cut off from the others in one direction',
      weight: 2,
      run: async ({ brokers }, dice) => {
        const { id } = dice.pick(brokers.all);
        const end = dice.pick(['from', 'to'] as const);
        const ways = brokers.peers.filter((way) => way[end] === id);
        return `requests ${end} broker ${id}: ${await during(ways, silence(dice), dice.spread(500, 8_000))}`;
      },
    },
    {
      name: 'two brokers cut off from each other',
      weight: 2,
      run: async ({ brokers }, dice) => {
        const pair = dice.shuffled(brokers.all.map(({ id }) => id)).slice(0, 2);
        const ways = brokers.peers.filter(({ from, to }) => pair.includes(from) && pair.includes(to));
        return `brokers ${pair.join(' and ')}: ${await during(ways, silence(dice), dice.spread(500, 8_000))}`;
      },
    },
    {
      name: 'brokers slow among each other',
      weight: 1,
      run: ({ brokers }, dice) => during(brokers.peers, { does: 'delay', ms: dice.whole(10, 100) }, dice.between(1_000, 4_000)),
    },
    {
      name: 'leader without followers in sync refuses writes',
      weight: 3,
      run: async (scene, dice) => {
        const ms = dice.between(500, 4_000);
        const { leader } = (await someOutputPartition(scene, dice)) ?? {};
        if (leader === undefined) return undefined;
        const alone = (all: readonly PartitionReplicas[]) => all.filter((one) => one.leader === leader && one.isr.length < MIN_IN_SYNC);
        const ways = scene.brokers.peers.filter(({ to, what }) => to === leader && what === 'broker');
        // Ends of transactions still come: without writes nobody falls behind.
        set(ways, { does: 'hold', only: isReplication });
        let refusing: readonly PartitionReplicas[] = [];
        await partitionsBecome(scene, OUT_OF_SYNC_MS, (all) => {
          refusing = alone(all);
          return refusing.length > 0;
        });
        await sleep(ms);
        set(ways, { does: 'pass' });
        const recovers = await partitionsBecome(scene, IN_SYNC_MS, (all) => alone(all).length === 0);
        const which = refusing.map(({ topic, partition }) => `${topic}-${partition}`).join(', ') || 'none';
        return `broker ${leader} alone with ${which} for ${inSeconds(ms)}${recovers ? '' : `, and still after ${inSeconds(IN_SYNC_MS)}`}`;
      },
    },
    {
      name: 'partition moved: a replica is given up, and copied anew',
      weight: 3,
      run: async (scene, dice) => {
        const ids = dice.shuffled(scene.brokers.all.map(({ id }) => id));
        const isLeaders = dice.chance(0.5);
        const all = await partitions(scene);
        if (all.length === 0) return undefined;
        const { topic, partition, leader } = dice.pick(all);
        // The first is given up, and comes back as the preferred leader.
        const order = isLeaders && leader >= 0 ? [leader, ...ids.filter((id) => id !== leader)] : ids;
        const [without, whole] = [await move(scene, topic, partition, order.slice(1)), await move(scene, topic, partition, order)];
        return `${topic}-${partition}, led by ${leader}: ${without}, ${whole}`;
      },
    },
  ],
};

const silence = (dice: Dice): Link => ({ does: dice.pick(['hold', 'hold', 'refuse'] as const) });

/** A connection begins with a request, and that with the client's id: `broker-2-fetcher-0` is where broker 2 copies. */
const isReplication = (opening: Buffer) => opening.includes('-fetcher-');

function set(ways: readonly PeerLink[], what: Link): void {
  for (const { link } of ways) link.set(what);
}

async function during(ways: readonly PeerLink[], what: Link, ms: number): Promise<string> {
  set(ways, what);
  await sleep(ms);
  set(ways, { does: 'pass' });
  return `${JSON.stringify(what)} for ${inSeconds(ms)}`;
}

const find = (all: readonly PartitionReplicas[], topic: string, partition: number) =>
  all.find((one) => one.topic === topic && one.partition === partition);

/** Asks until it is taken on: while the brokers have no controller, nothing is. */
async function move(scene: Scene, topic: string, partition: number, replicas: readonly number[]): Promise<string> {
  const { addresses } = scene.brokers;
  const isTakenOn = () => reassign(topic, partition, replicas, CONTROLLER_MS, addresses);
  for (const untilMs = Date.now() + TAKEN_ON_MS; ; await sleep(AGAIN_MS)) {
    const refusal = await isTakenOn().then(
      () => undefined,
      (error) => error,
    );
    if (refusal === undefined) break;
    if (Date.now() > untilMs) throw refusal;
  }
  const wanted = replicas.join(',');
  const isThere = await partitionsBecome(scene, MOVED_MS, (all) => {
    const now = find(all, topic, partition);
    return now?.replicas.join(',') === wanted && now.isr.length === replicas.length;
  });
  return `${isThere ? 'on' : 'on its way to'} ${wanted}`;
}
