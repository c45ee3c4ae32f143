import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from '../../support/tcp-proxy.ts';
import type { Broker } from './brokers.ts';
import { inSeconds } from './lane.ts';
import { partitionsBecome } from './replication.ts';
import type { Scene } from './scene.ts';

/** For the brokers to notice and elect, and for an epoch and its commit to time out and be repeated, twice. */
const GOES_ON_MS = 20_000;
/** As many epochs may have been decided, or on their way, when the broker went. */
const COMMITS = 4;
const WHOLE_MS = 40_000;
const LOOK_EVERY_MS = 50;

interface Absence {
  readonly name: string;
  begin(scene: Scene, broker: Broker): Promise<void> | void;
  end(scene: Scene, broker: Broker): Promise<void> | void;
}

const absences: readonly Absence[] = [
  { name: 'killed', begin: (_, broker) => broker.kill(), end: (_, broker) => broker.restart() },
  { name: 'stopped (SIGSTOP)', begin: (_, broker) => broker.freeze(), end: (_, broker) => broker.thaw() },
  {
    name: 'cut off from the others',
    begin: (scene, broker) => set(scene, broker, { does: 'hold' }),
    end: (scene, broker) => set(scene, broker, { does: 'pass' }),
  },
];

/**
 * Takes one broker after the other away, in each way, while nothing else happens. Two of three are a healthy cluster: the job
 * must go on before the third is back. Returns the cases in which it did not.
 */
export async function oneBrokerAway(scene: Scene, report: (line: string) => void): Promise<string[]> {
  const stalled: string[] = [];
  for (const broker of scene.brokers.all) {
    for (const absence of absences) {
      await untilWhole(scene);
      const what = `broker ${broker.id} ${absence.name}, and nothing else`;
      scene.history.note(`AWAY ${what}`);
      await absence.begin(scene, broker);
      const ms = await untilItGoesOn(scene);
      await absence.end(scene, broker);
      const how = ms === undefined ? `the job did not go on within ${inSeconds(GOES_ON_MS)}` : `the job went on after ${inSeconds(ms)}`;
      scene.history.note(`AWAY ${what}: over: ${how}`);
      report(`  ${what}: ${how}`);
      if (ms === undefined) stalled.push(what);
      await scene.job.nextCommit();
    }
  }
  return stalled;
}

/** A broker that was away leads nothing until its partitions are given back to it: nobody would miss it. */
async function untilWhole(scene: Scene): Promise<void> {
  const size = scene.brokers.all.length;
  await partitionsBecome(scene, WHOLE_MS, (all) => all.every(({ isr, leader, replicas }) => isr.length === size && leader === replicas[0]));
}

function set({ brokers }: Scene, { id }: Broker, what: Link): void {
  for (const { from, to, link } of brokers.peers) if (from === id || to === id) link.set(what);
}

/** Milliseconds; undefined when it does not. */
async function untilItGoesOn({ job }: Scene): Promise<number | undefined> {
  const startedMs = Date.now();
  const wanted = job.totals.epochs + COMMITS;
  while (Date.now() - startedMs < GOES_ON_MS) {
    if (job.totals.epochs >= wanted) return job.lastCommitMs - startedMs;
    await Promise.race([sleep(LOOK_EVERY_MS), job.broken]);
  }
  return undefined;
}
